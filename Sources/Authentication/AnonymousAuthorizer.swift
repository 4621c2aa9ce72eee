package import FTPProtocol
package import LinuxSystem

/// Lets anybody in under the names `anonymous` and `ftp`, with any password (RFC 1635).
///
/// What clients send as the password is an e-mail address by custom. It is compared and never
/// logged: people type real passwords there.
package final class AnonymousAuthorizer: Authorizer {
    /// Who anonymous users are, and which of them are turned away.
    package struct Settings: Hashable, Sendable {
        /// The account whose rights they get, and whose home they see.
        package var account: SystemAccount
        /// Passwords that are refused (`banned_email_file`), in lower case.
        package var banned: Set<String> = []
        /// The only passwords that are taken (`email_password_file`), in lower case; `nil` for any.
        package var accepted: Set<String>?

        /// Creates settings that take any password.
        package init(account: SystemAccount) {
            self.account = account
        }
    }

    private let settings: Settings

    /// Creates an authorizer.
    package init(_ settings: Settings) {
        self.settings = settings
    }

    /// Whether `name` stands for an anonymous user, whatever its case.
    package static func isAnonymous(_ name: String) -> Bool {
        let name = name.lowercased()
        return name == "anonymous" || name == "ftp"
    }

    package func authenticate(
        user: String,
        password: borrowing Secret,
        from peer: IPAddress
    ) throws(LoginRefusal) -> any Login {
        guard Self.isAnonymous(user) else { throw .unknownUser }
        let email = unsafe password.withBytes {
            unsafe String(decoding: $0, as: UTF8.self).lowercased()
        }
        guard !settings.banned.contains(email) else {
            throw .denied(rule: "banned_email_file", isGuess: true)
        }
        if let accepted = settings.accepted, !accepted.contains(email) {
            throw .denied(rule: "email_password_file", isGuess: true)
        }
        let account = settings.account
        guard account.credentials.user != 0 || !Credentials.isRoot else {
            throw .denied(rule: "ftp_username is root")
        }
        return PlainLogin(
            account: Account(
                name: account.name,
                credentials: account.credentials,
                groups: [],
                home: account.home,
                kind: .anonymous
            )
        )
    }
}
