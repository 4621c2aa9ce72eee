internal import Authentication
internal import FTPProtocol
internal import LinuxSystem
internal import Synchronization

/// An authorizer of the program's, as sessions ask it.
final class AuthorizerAdapter: Authentication.Authorizer {
    private let base: any Authorizer

    init(_ base: any Authorizer) {
        self.base = base
    }

    func authenticate(
        user: String,
        password: borrowing Secret,
        from peer: IPAddress
    ) throws(LoginRefusal) -> any Login {
        let box = PasswordBox(password)
        defer { box.wipe() }
        do {
            let found = try base.validateAuthentication(
                user: user,
                password: Password(box),
                client: "\(peer)"
            )
            return EmbeddedLogin(try found.account, found)
        } catch let refusal as LoginRefusal {
            throw refusal
        } catch let failure as AuthenticationFailed {
            throw failure.refusal
        } catch {
            throw .unavailable(reason: "\(error)")
        }
    }
}

/// Those who log in without an account, where the others are the system's users.
final class AnonymousAdapter: Authentication.Authorizer {
    private let base: UnixAuthorizer

    init(_ base: UnixAuthorizer) {
        self.base = base
    }

    func authenticate(
        user: String,
        password: borrowing Secret,
        from peer: IPAddress
    ) throws(LoginRefusal) -> any Login {
        guard let anybody = try base.anonymous(user) else { throw .unknownUser }
        return EmbeddedLogin(try anybody.account, anybody)
    }
}

/// A login of a user of the program's.
final class EmbeddedLogin: Login {
    let account: Account
    let user: FTPUser

    init(_ account: Account, _ user: FTPUser) {
        self.account = account
        self.user = user
    }

    func end() {}
}

extension FTPUser {
    /// The user with the ids that files are opened under in a process of the user's own.
    var account: Account {
        get throws(LoginRefusal) {
            Account(
                name: name,
                credentials: try credentials,
                groups: [],
                home: home,
                kind: .builtIn,
                permissions: permissions.base,
                options: try options
            )
        }
    }

    private var credentials: Credentials {
        get throws(LoginRefusal) {
            guard Credentials.isRoot else { return .current }
            if let systemAccount {
                guard let account = SystemAccount(named: systemAccount) else {
                    throw .unavailable(reason: "systemAccount: there is no \(systemAccount)")
                }
                return account.credentials
            }
            // In a program of root's, threads keep its ids and processes must not have them.
            return Credentials.owner(of: home) ?? .current
        }
    }
}

/// What a client sent as its password, for as long as it is checked.
final class PasswordBox {
    private let secret: Secret

    init(_ secret: borrowing Secret) {
        self.secret = Secret(secret)
    }

    func withSecret<Result>(_ body: (borrowing Secret) -> Result) -> Result { body(secret) }

    func check(
        _ body: (borrowing Secret) throws(LoginRefusal) -> Account
    ) throws(LoginRefusal) -> Account {
        try body(secret)
    }

    func wipe() { secret.wipe() }
}

extension Password {
    /// Has an authorizer of the system's check the password.
    func log(
        into authorizer: Authentication.UnixAuthorizer,
        as user: String,
        from client: String
    ) throws -> Account {
        try check { secret throws(LoginRefusal) in
            try authorizer.authenticate(
                user: user,
                password: secret,
                from: IPAddress(client) ?? .v4(0)
            ).account
        }
    }
}
