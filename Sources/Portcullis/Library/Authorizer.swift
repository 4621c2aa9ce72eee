internal import Authentication
internal import LinuxSystem

/// Decides who may log in.
///
/// Several sessions ask at once, so an authorizer is `Sendable`; each waits for its own answer
/// alone. To change one part of an authorizer that exists, write one that holds it and passes the
/// rest on. Under ``Concurrency/processes`` it is asked in a process that has the program's rights
/// and reads nothing of the network; what it changes in memory there is gone with the session.
public protocol Authorizer: Sendable {
    /// Checks a password.
    ///
    /// Take as long as it needs: nobody else waits. The answer is told to the client after a delay
    /// that does not depend on it.
    ///
    /// - Parameters:
    ///   - user: What the client sent after USER: 1 to 128 bytes without control characters.
    ///   - password: What the client sent after PASS.
    ///   - client: The client's IP address.
    /// - Returns: Who is in.
    /// - Throws: ``AuthenticationFailed``; anything else is told as a server that cannot tell.
    func validateAuthentication(
        user: String,
        password: borrowing Password,
        client: String
    ) throws -> FTPUser

    /// Makes the calling thread, and no other, act as a user, when the user has logged in.
    ///
    /// Called under ``Concurrency/threads`` alone. Does nothing by itself.
    func impersonateUser(_ user: FTPUser) throws

    /// Makes the calling thread act as the program again, when the login ends.
    func terminateImpersonation(_ user: FTPUser) throws
}

extension Authorizer {
    /// Does nothing.
    public func impersonateUser(_ user: FTPUser) throws {}

    /// Does nothing.
    public func terminateImpersonation(_ user: FTPUser) throws {}
}

/// Why a login is refused.
public enum AuthenticationFailed: Error, Hashable, Sendable {
    /// There is no such user, or the password is another one; the client is not told which.
    case incorrect
    /// The password is right, and the account is past its end.
    case accountExpired
    /// The password is right, and has to be changed first.
    case passwordExpired
    /// A rule keeps the user out, whatever the password; the reason is for the log alone.
    case denied(reason: String)
    /// It cannot be told now; the reason is for the log alone.
    case unavailable(reason: String)

    var refusal: LoginRefusal {
        switch self {
        case .incorrect: .wrongPassword
        case .accountExpired: .accountExpired
        case .passwordExpired: .passwordExpired
        case .denied(let reason): .denied(rule: reason, isGuess: true)
        case .unavailable(let reason): .unavailable(reason: reason)
        }
    }
}

/// What a client sent as its password.
///
/// Can be compared and read, and neither be copied nor printed; its memory is overwritten when the
/// check is over.
public struct Password: ~Copyable {
    private let secret: PasswordBox

    init(_ secret: PasswordBox) {
        self.secret = secret
    }

    /// Whether it is this one, found out in a time that does not depend on where they differ.
    public func isEqual(to text: String) -> Bool {
        secret.withSecret { $0.isEqual(to: Secret(copying: text.utf8)) }
    }

    /// Whether a hash in the form of crypt(5) is this password's.
    ///
    /// Takes yescrypt, scrypt, bcrypt, and the SHA-256 and SHA-512 of crypt(5); `false` for anything
    /// else.
    public func matches(hash: String) -> Bool {
        guard let hash = PasswordHash(hash) else { return false }
        return secret.withSecret { hash.matches($0) }
    }

    /// Lends the bytes, of which there are at most 512.
    ///
    /// Keep no copy.
    public func withBytes<Result>(_ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
        let bytes = secret.withSecret { secret in
            unsafe secret.withBytes { unsafe [UInt8]($0) }
        }
        defer { wipeMemory(of: bytes) }
        return try body(bytes.span)
    }

    /// Has the library's own code check it.
    func check(
        _ body: (borrowing Secret) throws(LoginRefusal) -> Account
    ) throws(LoginRefusal) -> Account {
        try secret.check(body)
    }
}
