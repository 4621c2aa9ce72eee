internal import CPAM
package import FTPProtocol
package import LinuxSystem

/// The system's accounts, through PAM.
///
/// Runs all of PAM: authenticate, account management, credentials, and a session that is open as
/// long as the login stands. The module that authenticates also supplies the name, and the password
/// database of that name the ids and the home.
package final class UnixAuthorizer: Authorizer {
    /// Where PAM finds its rules.
    package struct Settings: Hashable, Sendable {
        /// The name of the service file.
        package var service: String
        /// Where it lies; `nil` for the system's place.
        package var directory: String?
        /// Who everybody becomes that PAM lets in (`guest_enable`); `nil` for nobody.
        package var guest: GuestIdentity?
        /// The lowest user id that may log in (`min_uid`).
        package var minimumUser: UInt32 = 1
        /// Whether the account's shell must stand in /etc/shells (`check_shell`).
        package var checksShell = false
        /// The only users; `nil` for any.
        package var allowed: Set<String>?
        /// Users who may not log in.
        package var rejected: Set<String> = []
        /// Whether this is part of a program with threads, of which PAM must change nothing: there are
        /// no credentials and no session of PAM's then.
        package var isEmbedded = false

        /// Creates settings.
        package init(service: String, directory: String? = nil) {
            self.service = service
            self.directory = directory
        }
    }

    /// How long loading modules may take.
    private static let trialTimeout: Duration = .seconds(5)

    private let settings: Settings
    private var noteSession: (String?) -> Void = { _ in }

    /// Creates an authorizer.
    package init(_ settings: Settings) {
        self.settings = settings
    }

    /// Loads the modules of PAM and of name services, which a login else spends most of its time on.
    ///
    /// In a process on trial first: a module that hangs, crashes or starts a thread as soon as it is
    /// loaded may spoil logins, and must not spoil the server.
    package func prepare() -> [String] {
        guard DaemonProcess.isSingleThreaded else { return [] }
        let verdict = try? inShortProcess(maximumByteCount: 1) {
            guard (try? KillTimer.start(Self.trialTimeout)) != nil else { return [] }
            loadModules()
            return DaemonProcess.isSingleThreaded ? [1] : []
        }
        guard verdict == [1] else {
            return ["modules of PAM service \(settings.service) do not load well; each login tries"]
        }
        loadModules()
        return []
    }

    private func loadModules() {
        PAMTransaction.loadModules(service: settings.service, directory: settings.directory)
        NameServiceModules.load()
    }

    package func authenticate(
        user: String,
        password: borrowing Secret,
        from peer: IPAddress
    ) throws(LoginRefusal) -> any Login {
        try check(user, peer) { (transaction) throws(PAMError) in
            try transaction.authenticate(password, asking: nil)
        }
    }

    package func authenticate(
        user: String,
        password: borrowing Secret,
        from peer: IPAddress,
        asking question: @escaping SecondQuestion
    ) throws(LoginRefusal) -> any Login {
        try check(user, peer) { (transaction) throws(PAMError) in
            try transaction.authenticate(password, asking: question)
        }
    }

    /// Lets a user in without a password, as sshd does for a key: of PAM the account rules, the
    /// credentials and the session.
    package func admit(user: String, from peer: IPAddress) throws(LoginRefusal) -> any Login {
        try check(user, peer) { (_) throws(PAMError) in }
    }

    private func check(
        _ user: String,
        _ peer: IPAddress,
        _ authenticate: (inout PAMTransaction) throws(PAMError) -> Void
    ) throws(LoginRefusal) -> any Login {
        // Modules make file names of it (pam_faillock), and no account has such a name.
        guard user.utf8.first != UInt8(ascii: "."), !user.utf8.contains(UInt8(ascii: "/")) else {
            throw .unknownUser
        }
        do throws(PAMError) {
            var transaction = try start(user, peer)
            try transaction.takeOverDelays()
            try authenticate(&transaction)
            try transaction.checkAccount()
            let account = try self.account(of: transaction.user ?? user)
            guard !settings.isEmbedded else { return PlainLogin(account: account) }
            try transaction.establishCredentials()
            let withGroups = try self.withGroups(account)
            noteSession(transaction.user ?? user)
            do throws(PAMError) {
                try transaction.openSession()
            } catch {
                noteSession(nil)
                throw error
            }
            return PAMLogin(account: withGroups, transaction, noteEnd: noteSession)
        } catch {
            throw refusal(for: error, user)
        }
    }

    private func start(_ user: String, _ peer: IPAddress) throws(PAMError) -> PAMTransaction {
        var transaction = try PAMTransaction.start(
            service: settings.service,
            directory: settings.directory,
            user: user
        )
        try transaction.set(PAM_RHOST, to: "\(peer)")
        try transaction.set(PAM_TTY, to: "ftp")
        try transaction.set(PAM_RUSER, to: user)
        return transaction
    }

    package func watchSessions(_ body: @escaping (String?) -> Void) {
        noteSession = body
    }

    /// Closes a session in a transaction of its own: modules go by the names alone, since what they
    /// kept is gone with the process that opened it.
    package func closeLeftSession(of user: String, from peer: IPAddress) {
        guard var transaction = try? start(user, peer) else { return }
        transaction.closeSession()
    }

    /// Looks the account up and makes this process a member of its groups, which pam_setcred(3)
    /// may add to.
    private func account(of name: String) throws(PAMError) -> Account {
        if let guest = settings.guest { return try self.guest(name, guest) }
        guard let account = SystemAccount(named: name) else {
            throw PAMError(call: "getpwnam", code: PAM_USER_UNKNOWN)
        }
        // Root's files are everybody's; nobody has a reason to reach them by FTP.
        guard account.credentials.user != 0 else {
            throw PAMError(call: "root login", code: PAM_PERM_DENIED)
        }
        guard account.credentials.user >= settings.minimumUser else {
            throw PAMError(call: "min_uid", code: PAM_PERM_DENIED)
        }
        guard !settings.checksShell || account.hasListedShell else {
            throw PAMError(call: "check_shell", code: PAM_PERM_DENIED)
        }
        guard settings.allowed?.contains(account.name) ?? true,
            !settings.rejected.contains(account.name)
        else { throw PAMError(call: "list of users", code: PAM_PERM_DENIED) }
        if Credentials.isRoot, !settings.isEmbedded {
            do throws(SystemError) {
                try Credentials.initializeGroups(
                    of: account.name,
                    primary: account.credentials.group
                )
            } catch {
                throw PAMError(call: "initgroups", code: PAM_SYSTEM_ERR)
            }
        } else if !Credentials.isRoot, account.credentials != Credentials.current {
            throw PAMError(call: "uid switch without root", code: PAM_PERM_DENIED)
        }
        return Account(
            name: account.name,
            credentials: account.credentials,
            groups: [],
            home: account.home
        )
    }

    /// Whoever PAM lets in, at work under the ids of one account of the system.
    private func guest(_ name: String, _ guest: GuestIdentity) throws(PAMError) -> Account {
        do throws(LoginRefusal) {
            let (account, _) = try guest.assumeGroups()
            return Account(
                name: name,
                credentials: account.credentials,
                groups: [],
                home: account.home,
                kind: .guest
            )
        } catch {
            throw PAMError(call: error.logText, code: PAM_SYSTEM_ERR)
        }
    }

    private func withGroups(_ account: Account) throws(PAMError) -> Account {
        guard let groups = try? Credentials.supplementaryGroups() else {
            throw PAMError(call: "getgroups", code: PAM_SYSTEM_ERR)
        }
        return Account(
            name: account.name,
            credentials: account.credentials,
            groups: groups,
            home: account.home,
            kind: account.kind
        )
    }

    private func refusal(for error: PAMError, _ user: String) -> LoginRefusal {
        // Another authorizer may know whoever has no account here, whatever the modules say.
        if settings.guest == nil, SystemAccount(named: user) == nil { return .unknownUser }
        // What comes later is about the account: the password was right, and its user is not banned.
        let isGuess = error.call == "pam_authenticate"
        return switch error.code {
        case PAM_USER_UNKNOWN where isGuess: .unknownUser
        case PAM_AUTH_ERR where isGuess, PAM_MAXTRIES where isGuess,
            PAM_CRED_INSUFFICIENT where isGuess:
            .wrongPassword
        // The client is told these two, so they count only when the password was right.
        case PAM_ACCT_EXPIRED where error.call == "pam_acct_mgmt": .accountExpired
        case PAM_NEW_AUTHTOK_REQD where error.call == "pam_acct_mgmt",
            PAM_AUTHTOK_EXPIRED where error.call == "pam_acct_mgmt":
            .passwordExpired
        case PAM_PERM_DENIED, PAM_AUTH_ERR, PAM_USER_UNKNOWN, PAM_MAXTRIES, PAM_CRED_INSUFFICIENT:
            .denied(rule: error.logText, isGuess: isGuess)
        // Modules have many words for a wrong password (pam_exec says PAM_SYSTEM_ERR), and a guess
        // counts whatever it is called.
        case _ where isGuess && error.code != PAM_AUTHINFO_UNAVAIL:
            .denied(rule: error.logText, isGuess: true)
        default: .unavailable(reason: error.logText)
        }
    }
}

/// A login with an open PAM session.
private final class PAMLogin: Login {
    let account: Account
    private var transaction: PAMTransaction?
    private let noteEnd: (String?) -> Void

    init(
        account: Account,
        _ transaction: consuming PAMTransaction,
        noteEnd: @escaping (String?) -> Void
    ) {
        self.account = account
        self.transaction = consume transaction
        self.noteEnd = noteEnd
    }

    func end() {
        guard var transaction = transaction.take() else { return }
        transaction.closeSession()
        noteEnd(nil)
    }
}
