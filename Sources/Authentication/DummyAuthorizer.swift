package import FTPProtocol
package import LinuxSystem
internal import TLS

/// Accounts that exist in this program alone, such as the `demo` account.
///
/// Keeps a SHA-256 digest in place of each password. That is no protection for passwords that
/// people choose; it is for random ones of at least 80 bits.
package final class DummyAuthorizer: Authorizer {
    private struct User {
        let digest: [UInt8]
        let account: Account
    }

    private var users: [String: User] = [:]

    /// Creates an authorizer without users.
    package init() {}

    /// Adds a user.
    ///
    /// - Parameters:
    ///   - account: The user.
    ///   - password: A random password of at least 80 bits.
    package func addUser(_ account: Account, password: borrowing Secret) {
        let digest = unsafe password.withBytes { unsafe sha256($0) }
        users[account.name] = User(digest: digest, account: account)
    }

    package func authenticate(
        user: String,
        password: borrowing Secret,
        from peer: IPAddress
    ) throws(LoginRefusal) -> any Login {
        guard let user = users[user] else { throw .unknownUser }
        let digest = unsafe password.withBytes { unsafe sha256($0) }
        guard isEqualInConstantTime(digest, user.digest) else { throw .wrongPassword }
        return PlainLogin(account: user.account)
    }
}
