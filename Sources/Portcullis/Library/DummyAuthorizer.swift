internal import Authentication
internal import LinuxSystem
internal import Synchronization

/// Users that exist in this program alone.
///
/// Passwords are kept as yescrypt hashes, so each of ``addUser(_:password:home:permissions:)`` and
/// each login takes some hundredths of a second and about a megabyte of memory for the moment.
/// Users may come and go while the server serves with ``Concurrency/threads``; with
/// ``Concurrency/processes`` those count that there are when a client connects.
public final class DummyAuthorizer: Authorizer {
    private struct Entry: Sendable {
        var user: FTPUser
        /// `nil` for a user who needs none.
        let hash: PasswordHash?
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// Creates an authorizer without users.
    public init() {}

    /// Adds a user.
    ///
    /// - Parameters:
    ///   - name: The login name.
    ///   - password: At most 511 bytes.
    ///   - home: The directory that the user sees as `/`.
    ///   - permissions: What the user may do.
    /// - Throws: ``ServerError`` when there is such a user, or the password is too long.
    public func addUser(
        _ name: String,
        password: String,
        home: String,
        permissions: FTPPermissions = .readOnly
    ) throws(ServerError) {
        guard let hash = PasswordHash.make(Secret(copying: password.utf8)) else {
            throw ServerError("addUser: \(name): the password is longer than 511 bytes")
        }
        try add(FTPUser(name, home: home, permissions: permissions), hash)
    }

    /// Adds a user whose password was hashed before.
    ///
    /// - Parameters:
    ///   - user: The user.
    ///   - passwordHash: A hash in the form of crypt(5): yescrypt, scrypt, bcrypt, SHA-512, SHA-256.
    /// - Throws: ``ServerError`` when there is such a user, or the hash is none.
    public func addUser(_ user: FTPUser, passwordHash: String) throws(ServerError) {
        guard let hash = PasswordHash(passwordHash) else {
            throw ServerError(
                "addUser: \(user.name): the hash is none of a method that protects:"
                    + " make one with `portcullis passwd` or mkpasswd(1)"
            )
        }
        try add(user, hash)
    }

    /// Adds the users of a file, one on each line: `name:hash:home:permissions`.
    ///
    /// That is the form that `portcullis passwd` writes; options behind one more colon, and users
    /// that are locked, are refused here. Empty lines and those that begin with `#` are left out.
    ///
    /// - Parameter path: The file, of at most a megabyte.
    /// - Throws: ``ServerError`` naming the line, when one of them cannot be honoured; no user is added
    ///   then.
    public func addUsers(file path: String) throws(ServerError) {
        let text: [UInt8]
        do throws(SystemError) {
            text = try readFile(at: path, maximumByteCount: 1_048_576)
        } catch {
            throw ServerError("addUsers: \(path): cannot be read (\(error)): name a readable file")
        }
        let read = DummyAuthorizer()
        let (users, problems) = VirtualUserFile(text).read()
        if let problem = problems.first {
            throw ServerError(
                "addUsers: \(path):\(problem.line): \(problem.why): write name:hash:home:permissions"
            )
        }
        for entry in users {
            let user = entry.user
            guard let hash = user.hash, !user.isLocked, user.options.isEmpty else {
                throw ServerError(
                    "addUsers: \(path):\(entry.line): a user here has a password and no options"
                )
            }
            let permissions = FTPPermissions(user.permissions)
            try read.add(FTPUser(user.name, home: user.home, permissions: permissions), hash)
        }
        let added = read.entries.withLock { $0 }
        let taken = entries.withLock { entries in
            let taken = added.keys.first { entries[$0] != nil }
            if taken == nil { entries.merge(added) { old, _ in old } }
            return taken
        }
        if let taken { throw ServerError("addUsers: there is a user \(taken) already") }
    }

    /// Lets anybody in as `anonymous` or `ftp`, with any password (RFC 1635).
    ///
    /// - Parameters:
    ///   - home: The directory that everybody sees as `/`.
    ///   - permissions: What everybody may do.
    /// - Throws: ``ServerError`` when there is such a user.
    public func addAnonymous(
        home: String,
        permissions: FTPPermissions = .readOnly
    ) throws(ServerError) {
        try add(FTPUser("anonymous", home: home, permissions: permissions), nil)
    }

    private func add(_ user: FTPUser, _ hash: PasswordHash?) throws(ServerError) {
        guard user.home.hasPrefix("/") else {
            throw ServerError("addUser: \(user.name): `\(user.home)` is no absolute path")
        }
        let isNew = entries.withLock { entries in
            guard entries[user.name] == nil else { return false }
            entries[user.name] = Entry(user: user, hash: hash)
            return true
        }
        guard isNew else { throw ServerError("addUser: there is a user \(user.name) already") }
    }

    /// Removes a user; sessions that stand go on.
    public func removeUser(_ name: String) { entries.withLock { $0[name] = nil } }

    /// Whether there is such a user.
    public func hasUser(_ name: String) -> Bool { entries.withLock { $0[name] != nil } }

    /// The user of a name.
    public func user(_ name: String) -> FTPUser? { entries.withLock { $0[name]?.user } }

    /// Has other permissions hold in one directory.
    ///
    /// Where several hold the one of the longest path counts.
    ///
    /// - Parameters:
    ///   - name: The user.
    ///   - directory: The directory, from the user's `/` on; without blanks and commas.
    ///   - permissions: What may be done there.
    ///   - recursive: Whether it holds in every directory beneath, too.
    /// - Throws: ``ServerError`` when there is no such user, or the directory is none.
    public func overridePerm(
        _ name: String,
        directory: String,
        permissions: FTPPermissions,
        recursive: Bool = false
    ) throws(ServerError) {
        let override = FTPUser.PermissionsOverride(directory, permissions, recursive: recursive)
        var user = FTPUser(name, home: "/")
        user.overrides = [override]
        guard (try? user.options) != nil else {
            throw ServerError("overridePerm: `\(directory)` cannot be a directory")
        }
        let isKnown = entries.withLock { entries in
            entries[name]?.user.overrides.append(override)
            return entries[name] != nil
        }
        guard isKnown else { throw ServerError("overridePerm: there is no user \(name)") }
    }

    /// Sets what a user is told after the login and in reply to QUIT.
    ///
    /// - Throws: ``ServerError`` when there is no such user.
    public func setMessages(
        _ name: String,
        login: String?,
        quit: String?
    ) throws(ServerError) {
        let isKnown = entries.withLock { entries in
            entries[name]?.user.loginMessage = login
            entries[name]?.user.quitMessage = quit
            return entries[name] != nil
        }
        guard isKnown else { throw ServerError("setMessages: there is no user \(name)") }
    }

    /// Holds a password against the user's hash.
    ///
    /// - Throws: ``AuthenticationFailed/incorrect``.
    public func validateAuthentication(
        user: String,
        password: borrowing Password,
        client: String
    ) throws -> FTPUser {
        let isAnonymous = AnonymousAuthorizer.isAnonymous(user)
        let found = entries.withLock { $0[user] ?? (isAnonymous ? $0["anonymous"] : nil) }
        guard let found else { throw AuthenticationFailed.incorrect }
        guard let hash = found.hash else { return found.user }
        guard password.matches(hash: hash.text) else { throw AuthenticationFailed.incorrect }
        return found.user
    }
}
