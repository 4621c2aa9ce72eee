package import FTPProtocol
package import LinuxSystem

/// Asks the client for something besides the password, such as a one-time code.
///
/// FTP has the command ACCT for it, asked for by reply 332 (RFC 959 section 4.1.1).
///
/// Returns `nil` when the client gave up or went.
package typealias SecondQuestion = () -> SecondAnswer?

/// What a client answered to a question besides the password.
package final class SecondAnswer {
    /// The answer.
    package let secret: Secret

    /// Keeps an answer.
    package init(_ secret: consuming Secret) {
        self.secret = secret
    }
}

extension Authorizer {
    package func authenticate(
        user: String,
        password: borrowing Secret,
        from peer: IPAddress,
        asking question: @escaping SecondQuestion
    ) throws(LoginRefusal) -> any Login {
        try authenticate(user: user, password: password, from: peer)
    }

    package func admit(user: String, from peer: IPAddress) throws(LoginRefusal) -> any Login {
        throw .unknownUser
    }

    package func inspect() -> [String] { [] }

    package func prepare() -> [String] { [] }

    package func watchSessions(_ body: @escaping (String?) -> Void) {}

    package func closeLeftSession(of user: String, from peer: IPAddress) {}
}
