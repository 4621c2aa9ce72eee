internal import Authentication
internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem
internal import Logging
internal import SystemPackage

/// Decides for a session that is a thread: what a Warden does, in the session's own thread.
///
/// No process stands between it and the session, so it protects nobody from a session that somebody
/// else controls. It holds the rules for everybody else.
final class LocalWarden: SessionWarden {
    /// The shortest time until a refusal: several times what a check of a password takes.
    private static let refusalPeriod: Duration = .milliseconds(250)

    private let number: CInt
    private let identifier: String
    private let peer: SocketAddress
    private let local: SocketAddress
    private let settings: EmbeddedSettings
    private let register: SessionRegister
    private let leash: SessionLeash
    private var logger: Logger
    private var remarks = LogBudget()
    private var login: (any Login)?
    private var attemptsLeft: Int
    private var passiveSocket: OwnedDescriptor?
    private var userRate = 0
    /// What the transfers of this session are charged to, once there is one.
    private var limiters: [RateLimiter]?
    private var namesAccounts = false
    private var root = "/"
    private(set) var finishReason: FinishReason?

    init(
        _ number: CInt,
        _ identifier: String,
        peer: SocketAddress,
        local: SocketAddress,
        _ settings: EmbeddedSettings,
        _ register: SessionRegister,
        _ leash: SessionLeash,
        _ logger: Logger
    ) {
        self.number = number
        self.identifier = identifier
        self.peer = peer
        self.local = local
        self.settings = settings
        self.register = register
        self.leash = leash
        self.logger = logger
        attemptsLeft = max(1, settings.warden.maximumFailures)
    }

    var pollNumber: CInt { (finishReason == nil ? leash.finish : leash.abort).pollNumber }

    func takeNotice() throws(WardenGone) {
        // The second call says that there is no time left.
        guard finishReason == nil else { throw WardenGone() }
        finishReason = .serverEnds
    }

    /// Ends what is still open when the session is over.
    func end() {
        try? endLogin()
        reportDropped()
    }

    // MARK: Login

    func authenticate(
        user: String,
        password: consuming Secret,
        isClear: Bool,
        limit: Duration
    ) throws(WardenGone) -> LoginOutcome {
        let watch = Stopwatch()
        do throws(LoginRefusal) {
            guard attemptsLeft > 0, login == nil else { throw .denied(rule: "no attempt is left") }
            try admit(user)
            let login = try check(user, password, isClear: isClear)
            // Guesses that were under way when the user was locked out lead nowhere.
            try admit(user)
            self.login = login
            let grant = try begin(login)
            sleep(for: settings.warden.successDelay)
            return .granted(grant)
        } catch {
            try endLogin()
            return refuse(user, error, watch)
        }
    }

    private func admit(_ user: String) throws(LoginRefusal) {
        guard let bar = register.bar(to: user, from: peer.address) else { return }
        throw .denied(rule: bar.rule)
    }

    private func check(
        _ user: String,
        _ password: borrowing Secret,
        isClear: Bool
    ) throws(LoginRefusal) -> any Login {
        var hasPassedOver = false
        for authorizer in settings.makeAuthorizers() {
            if isClear, authorizer is UnixAuthorizer, !settings.warden.takesPlainSystemLogins {
                hasPassedOver = true
                continue
            }
            do throws(LoginRefusal) {
                return try authorizer.authenticate(
                    user: user,
                    password: password,
                    from: peer.address
                )
            } catch {
                guard error == .unknownUser else { throw error }
            }
        }
        if hasPassedOver {
            throw .denied(rule: "no TLS (plain_system_logins)", isGuess: true)
        }
        throw .unknownUser
    }

    private func begin(_ login: any Login) throws(LoginRefusal) -> LoginGrant {
        let account = login.account
        let profile = try settings.warden.profile(account)
        let entry = SessionEntry(
            identifier: identifier,
            address: peer.address,
            since: secondsSinceEpoch()
        )
        let maximum = profile.maximumSessions
        if let refusal = register.logIn(number, account.key, entry, maximum: maximum) {
            throw refusal
        }
        for remark in profile.remarks { logger.warning("\(remark)") }
        try settings.noteLogin(login, true)
        let fileSystem = try settings.openFiles(account, profile)
        namesAccounts = profile.namesAccounts
        userRate = profile.userRate
        logger[metadataKey: "user"] = .string(LogText.value(account.name.utf8))
        logger.info("login")
        root = profile.root
        report(nil)
        return LoginGrant(
            terms: LoginTerms(
                permissions: profile.rules.permissions,
                workingDirectory: profile.workingDirectory,
                isAnonymous: profile.isAnonymous,
                options: profile.sessionOptions
            ),
            fileSystem: fileSystem,
            root: settings.showsRoot ? profile.root : nil
        )
    }

    private func refuse(
        _ user: String,
        _ refusal: LoginRefusal,
        _ watch: Stopwatch
    ) -> LoginOutcome {
        let outcome = register.noteRefusal(
            of: user,
            from: peer.address,
            isFailedProof: refusal.isFailedProof
        )
        if outcome.isBan {
            logger.warning("address banned", metadata: ["address": "\(peer.address)"])
        }
        let shown = LogText.value(user.utf8)
        if outcome.isLock {
            logger.warning("user locked out", metadata: ["user": .string(shown)])
        }
        attemptsLeft = max(0, attemptsLeft - 1)
        logger.notice(
            "login refused",
            metadata: [
                "user": .string(shown),
                "why": .string(LogText.reason(refusal.logText)),
            ]
        )
        awaitRefusal(after: outcome.count, watch)
        return .refused(refusal.notice, isLast: attemptsLeft == 0)
    }

    /// Waits before a refusal, until a whole number of delays has gone since the login began, so that
    /// the time tells nothing about what was checked.
    private func awaitRefusal(after failures: UInt32, _ watch: Stopwatch) {
        let warden = settings.warden
        let backOff = BackOff(base: warden.failureDelay, maximum: warden.maximumFailureDelay)
        let period = max(backOff.delay(after: failures), Self.refusalPeriod)
        let end = Deadline(after: watch.restOfPeriod(period))
        while !end.hasPassed {
            var entries = [PollEntry(pollNumber, reading: true)]
            guard (try? poll(&entries, until: end)) != nil else { return }
            if entries[0].isReadable { return }
        }
    }

    // Nothing but the password is asked for here, and no certificate is held against a name.

    func answer(
        _ secret: consuming Secret,
        limit: Duration
    ) throws(WardenGone) -> LoginOutcome {
        throw WardenGone()
    }

    func giveUp(limit: Duration) throws(WardenGone) -> LoginOutcome { throw WardenGone() }

    func showCertificate(_ recording: [UInt8]) throws(WardenGone) -> Bool { false }

    func admit(user: String, limit: Duration) throws(WardenGone) -> LoginOutcome { .needsPassword }

    func name(client: SocketAddress) throws(WardenGone) -> ClientRefusal? { throw WardenGone() }

    func endLogin() throws(WardenGone) {
        closePassiveSocket()
        namesAccounts = false
        userRate = 0
        limiters = nil
        register.logOut(number)
        guard let ended = login.take() else { return }
        do throws(LoginRefusal) {
            try settings.noteLogin(ended, false)
        } catch {
            logger.error("login not ended: \(error.logText)")
            throw WardenGone()
        }
        ended.end()
        logger[metadataKey: "user"] = nil
    }

    // MARK: What others share

    func charge(_ byteCount: Int) throws(WardenGone) -> (next: Deadline, isCharged: Bool) {
        let limiters = limiters ?? makeLimiters()
        self.limiters = limiters
        return (limiters.map { $0.charge(byteCount) }.max() ?? .passed, true)
    }

    private func makeLimiters() -> [RateLimiter] {
        // Where there is no page the rate still holds for this session.
        func limiter(_ rate: Int, _ page: SharedPage?) -> RateLimiter {
            page.map { RateLimiter(rate: rate, sharing: $0, at: 0) } ?? RateLimiter(rate: rate)
        }
        var limiters: [RateLimiter] = []
        if userRate > 0 { limiters.append(limiter(userRate, register.ratePage(of: number))) }
        let serverRate = settings.warden.serverRate
        if serverRate > 0 { limiters.append(limiter(serverRate, register.serverRatePage())) }
        return limiters
    }

    func name(of account: AccountNumber) throws(WardenGone) -> String? {
        guard namesAccounts else { return nil }
        return switch account {
        case .user(let number): SystemAccount.name(ofUser: number)
        case .group(let number): SystemAccount.name(ofGroup: number)
        }
    }

    func listSessions() throws(WardenGone) -> [SessionEntry] {
        let sessions = register.sessions(besides: number)
        guard login?.account.kind == .anonymous else { return sessions }
        return sessions.filter { $0.identifier == identifier }
    }

    // MARK: Data connections

    func listenForData(meanwhile work: () -> Void) throws(WardenGone) -> DataSocketOutcome {
        work()
        closePassiveSocket()
        guard login != nil, let range = settings.warden.passivePorts else {
            return .failed(.forbidden)
        }
        let maximum = settings.warden.maximumPassivePerAddress
        guard register.takePort(for: peer.address, maximum: maximum) else {
            return .failed(.tooMany)
        }
        do throws(DataSocketFailure) {
            let socket = try range.listen(on: local)
            let port = socket.port
            let own = socket.takeDescriptor()
            guard let given = try? own.duplicate() else { throw DataSocketFailure.failed }
            passiveSocket = consume own
            return .socket(given, port: port, announced: nil)
        } catch {
            register.givePortBack(for: peer.address)
            if error == .rangeExhausted, mayLog() { logger.warning("no passive port is free") }
            return .failed(error)
        }
    }

    private func closePassiveSocket() {
        guard passiveSocket != nil else { return }
        passiveSocket?.endListening()
        passiveSocket = nil
        register.givePortBack(for: peer.address)
    }

    func connectForData(to remote: SocketAddress) throws(WardenGone) -> DataSocketOutcome {
        let rules = settings.warden
        let mayConnect =
            login != nil && rules.allowsActive && remote.port != 0
            && (rules.allowsForeignActive || remote.address == peer.address)
            && (rules.allowsPrivilegedActive || remote.port >= 1_024)
        guard mayConnect else {
            if mayLog() { logger.warning("active connection to \(remote) refused") }
            return .failed(.forbidden)
        }
        do throws(SystemError) {
            let origin = SocketAddress(local.address, port: rules.activePort, scope: local.scope)
            let socket = try OwnedDescriptor.connecting(to: remote, from: origin)
            return .socket(socket, port: remote.port, announced: nil)
        } catch {
            return .failed(error.errno == .notPermitted ? .forbidden : .failed)
        }
    }

    // MARK: Logs

    private func mayLog() -> Bool { remarks.admits(reportDropped) }

    private func reportDropped(_ count: Int) {
        logger.warning("log lines of this session dropped: \(count)")
    }

    private func reportDropped() {
        if remarks.dropped > 0 { reportDropped(remarks.dropped) }
    }

    func log(_ level: Logger.Level, _ text: String) {
        if mayLog() { write(level, text) }
    }

    func logAction(_ level: Logger.Level, _ text: String) { write(level, text) }

    private func write(_ level: Logger.Level, _ text: String) {
        let line = LogText.escaped(
            Array(text.utf8),
            maximumByteCount: WardenRequest.maximumLogByteCount,
            isQuoted: false
        )
        logger.log(level: level, "\(line)")
    }

    // The logs that vsftpd would write are the daemon's.

    func record(_ action: LoggedAction) { report(action) }

    private func report(_ action: LoggedAction?) {
        guard let noteEvent = settings.noteEvent, let account = login?.account else { return }
        noteEvent(
            EventReport(user: account.name, root: root, peer: peer.address, action: action)
        )
    }

    /// There is no audit trail within another program.
    func audit(_ action: AuditedAction) throws(WardenGone) {}

    func noteTLS(_ tls: AuditedTLS) throws(WardenGone) {}

    func recordLine(_ text: [UInt8], isReply: Bool) {}

    func count(_ report: HandshakeReport) {}

    func markClear(_ isClear: Bool) throws(WardenGone) {
        logger[metadataKey: ClearMark.key] = isClear ? ClearMark.value : nil
    }
}

/// How a server tells its sessions to end; nobody takes note of either, so that all are woken.
final class SessionLeash: Sendable {
    /// Sessions are to finish what they do.
    let finish: WakeUp
    /// Sessions are to end at once.
    let abort: WakeUp

    init() throws(SystemError) {
        finish = try WakeUp()
        abort = try WakeUp()
    }
}
