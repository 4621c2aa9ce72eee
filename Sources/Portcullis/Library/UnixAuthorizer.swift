internal import Authentication
internal import LinuxSystem
internal import Synchronization

/// The system's users, through PAM.
///
/// Under ``Concurrency/processes`` all of PAM runs, in a process of its own: the check, the account,
/// the credentials and a session for as long as the login stands; files are opened by a process that
/// is the user. Under ``Concurrency/threads`` the check and the account alone run, since credentials
/// and sessions of PAM change a whole program, and the session's thread becomes the user.
///
/// Without root only the user can log in whose program it is.
public final class UnixAuthorizer: Authorizer {
    /// What everybody may do, as far as the kernel allows it.
    public let globalPermissions: FTPPermissions

    /// The account of those who log in as `anonymous` or `ftp`; `nil` where nobody does.
    public let anonymousUser: String?

    let settings: Authentication.UnixAuthorizer.Settings
    private let overrides = Mutex<[String: Override]>([:])
    private let program = Credentials.current
    private let programGroups: [UInt32]

    /// Creates an authorizer.
    ///
    /// - Parameters:
    ///   - globalPermissions: What everybody may do, as far as the kernel allows it.
    ///   - allowedUsers: The only users; `nil` for everybody but root.
    ///   - rejectedUsers: Users who may not log in.
    ///   - requireValidShell: Whether a user's shell must stand in /etc/shells.
    ///   - anonymousUser: The account whose home anybody sees, with its rights, who logs in as
    ///     `anonymous` or `ftp`, with any password; PAM is not asked. `nil` for nobody.
    ///   - service: The name of the PAM service file.
    ///   - serviceDirectory: The directory with it; `nil` for the system's.
    public init(
        globalPermissions: FTPPermissions = .all,
        allowedUsers: Set<String>? = nil,
        rejectedUsers: Set<String> = [],
        requireValidShell: Bool = true,
        anonymousUser: String? = nil,
        service: String = "portcullis",
        serviceDirectory: String? = nil
    ) {
        self.globalPermissions = globalPermissions
        self.anonymousUser = anonymousUser
        var settings = Authentication.UnixAuthorizer.Settings(
            service: service,
            directory: serviceDirectory
        )
        settings.checksShell = requireValidShell
        settings.allowed = allowedUsers
        settings.rejected = rejectedUsers
        self.settings = settings
        programGroups = (try? Credentials.supplementaryGroups()) ?? []
    }

    /// What differs for one user.
    private struct Override {
        var home: String?
        var permissions: FTPPermissions?
    }

    /// Gives a user another home, or other permissions, than everybody has; passwords stay PAM's.
    ///
    /// Holds for later logins. Under ``Concurrency/processes`` it belongs before the server serves:
    /// what is said in a session's own processes is gone with them. The kernel goes on to decide what
    /// the account may do there.
    ///
    /// - Parameters:
    ///   - user: The account.
    ///   - home: An absolute path; `nil` for the account's own.
    ///   - permissions: What the user may do; `nil` for ``globalPermissions``.
    /// - Throws: ``ServerError`` where there is no such account, and for a relative path.
    public func overrideUser(
        _ user: String,
        home: String? = nil,
        permissions: FTPPermissions? = nil
    ) throws(ServerError) {
        guard SystemAccount(named: user) != nil else {
            throw ServerError("overrideUser: there is no account `\(user)`")
        }
        guard home?.hasPrefix("/") != false else {
            throw ServerError("overrideUser: the home of `\(user)` is no absolute path")
        }
        overrides.withLock { $0[user] = Override(home: home, permissions: permissions) }
    }

    /// What a user of the system has for a home and may do.
    func terms(of user: String, home: String) -> (home: String, permissions: FTPPermissions) {
        let own = overrides.withLock { $0[user] }
        return (own?.home ?? home, own?.permissions ?? globalPermissions)
    }

    /// Checks a password with PAM, and the account.
    ///
    /// - Throws: ``AuthenticationFailed``.
    public func validateAuthentication(
        user: String,
        password: borrowing Password,
        client: String
    ) throws -> FTPUser {
        if let anybody = try anonymous(user) { return anybody }
        var settings = settings
        settings.isEmbedded = true
        let account = try password.log(
            into: Authentication.UnixAuthorizer(settings),
            as: user,
            from: client
        )
        let terms = terms(of: account.name, home: account.home)
        var found = FTPUser(account.name, home: terms.home, permissions: terms.permissions)
        found.systemAccount = account.name
        return found
    }

    /// Who somebody is who logs in without an account; `nil` for everybody else.
    func anonymous(_ name: String) throws(LoginRefusal) -> FTPUser? {
        guard let anonymousUser, AnonymousAuthorizer.isAnonymous(name) else { return nil }
        guard let account = SystemAccount(named: anonymousUser) else {
            throw .unavailable(reason: "anonymousUser: there is no account \(anonymousUser)")
        }
        var user = FTPUser("anonymous", home: account.home, permissions: globalPermissions)
        user.systemAccount = account.name
        return user
    }

    /// Makes the calling thread the user, where the program is root's.
    public func impersonateUser(_ user: FTPUser) throws {
        guard Credentials.isRoot else { return }
        let name = user.systemAccount ?? user.name
        guard let account = SystemAccount(named: name), account.credentials.user != 0 else {
            throw AuthenticationFailed.unavailable(reason: "no account \(name)")
        }
        let groups = try account.groups()
        try account.credentials.assumeInThread(groups: groups)
    }

    /// Makes the calling thread root's again.
    public func terminateImpersonation(_ user: FTPUser) throws {
        guard program.user == 0 else { return }
        try program.returnInThread(groups: programGroups)
    }
}
