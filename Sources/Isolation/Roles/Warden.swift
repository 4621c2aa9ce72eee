internal import Authentication
internal import CLinux
internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem
internal import Logging
internal import SystemPackage

/// The privileged process of one connection.
///
/// Runs PAM, starts the Agent, makes data sockets. It never sees a byte that the client sent except
/// what its Session puts into the typed messages of ``WardenRequest``.
///
/// Not final, so that tests can feed it without starting processes.
class Warden {
    /// How long an Agent may take to end once its Session is gone.
    static let agentTimeout: Duration = .seconds(2)

    /// The shortest time until a refusal: several times what a check of a password takes.
    var refusalPeriod: Duration { .milliseconds(250) }

    /// How long nothing happens until memory that is free is given back.
    private static let restDelay: Duration = .milliseconds(500)

    /// How much longer than the Session this process waits for a login, so that the Session can say
    /// its last words.
    private static let loginGrace: Duration = .seconds(3)

    /// What a notice that comes unasked may leave unread, with room to spare.
    private static let maximumUnreceivedByteCount = 8_192

    private(set) var peer: SocketAddress
    let local: SocketAddress
    let settings: WardenSettings
    let authorizers: [any Authorizer]
    let channel: MessageSocket
    let census: CensusClient
    private let session: CInt
    let certificateCheck: CertificateCheck?
    let challenge: [UInt8]

    /// What the client's certificate proves, once it was shown.
    var certificate: CertificateFinding?
    var logger: Logger
    private let logLevel: Logger.Level
    var remarks = LogBudget()
    /// As many as a client can cause that transfers the smallest of files as fast as it can.
    var actions = LogBudget(lineCount: 2_000, period: .seconds(1))
    /// Logins leave lines in the log, and a Session may begin and end them without end.
    var logins = LogBudget(lineCount: 5, period: .seconds(1))
    /// The Listener looks through all sessions for each answer about the user's.
    var questions = LogBudget(lineCount: 4, period: .seconds(1))
    var state: WardenState
    var watch = Stopwatch()
    private(set) var login: (any Login)?
    private var namesAccounts = false
    private var hasFileSizeLimit = false
    private var nameQuestionsLeft = AccountNumber.maximumQuestionCount
    private var agent: CInt?
    var profile: LoginProfile?
    var journal: UploadJournal?
    private var handover: HandoverDesk?
    var logLimiter: RateLimiter?
    var pace: SharedPace?
    /// When the Session may move more.
    var nextTurn = Deadline.passed
    var passive = PassiveState()
    var events: EventChannel?
    var eventBudget = LogBudget(lineCount: 1_000, period: .seconds(1))
    var logged: LoggedSession
    private(set) lazy var meter = makeMeter()
    var audited: AuditedSession

    /// How often the Session may still ask whose the certificate is; every answer reads a file.
    var certificateQuestionsLeft = 8
    let leash: CInt
    private var isAtRest = false
    /// The Session is gone, or has done what none of ours does.
    var isOver = false

    /// By when a Session has to be done that was told to finish.
    private(set) var finishTime = Deadline.never

    /// When a Session without a login is ended that has not ended itself (`login_timeout`).
    private(set) var loginDeadline: Deadline

    /// The Session has asked for what may leave something behind, or for what none of ours does.
    private(set) var isUsed = false

    /// The Session has gone of its own accord.
    private var hasSessionLeft = false

    /// Nothing of the session is left that another one could come upon: it asked for nothing but lines
    /// and counts, and its process has ended as it should.
    private(set) var isUnspoilt = false

    /// Why the client is asked nothing more during the present login.
    var abandonment: String?

    init(
        peer: SocketAddress,
        local: SocketAddress,
        settings: WardenSettings,
        authorizers: [any Authorizer],
        channel: consuming MessageSocket,
        census: CensusClient,
        session: CInt,
        leash: CInt,
        certificateCheck: CertificateCheck?,
        challenge: [UInt8],
        logs: TransferLogs?,
        logger: Logger,
        isQuiet: Bool = false,
        trail: AuditClient? = nil
    ) {
        logged = LoggedSession(logs)
        audited = AuditedSession(trail, isQuiet: isQuiet)
        self.certificateCheck = certificateCheck
        self.challenge = challenge
        self.peer = peer
        self.local = local
        self.settings = settings
        loginDeadline = Deadline(after: settings.loginTimeout + Self.loginGrace)
        self.authorizers = authorizers
        self.channel = channel
        self.census = census
        self.session = session
        self.leash = leash
        self.logger = logger
        logLevel = logger.logLevel
        if isQuiet { self.logger.logLevel = max(logLevel, .notice) }
        let attempts = max(1, settings.maximumFailures)
        state =
            settings.proxyNetworks.contain(peer.address)
            ? .beforeClient(attemptsLeft: attempts) : .beforeLogin(attemptsLeft: attempts)
    }

    /// Serves the Session until it has ended, or has to.
    final func serve() {
        for authorizer in authorizers {
            authorizer.watchSessions { [unowned self] in census.noteSystemSession(of: $0) }
        }
        // Who comes through a proxy is known later.
        if case .beforeLogin = state {
            record(.connection(refusal: nil))
            auditConnection()
        }
        var hasLostCensus = false
        while !isOver {
            let isEnding = finishTime != .never
            var entries = [
                PollEntry(channel.descriptor.number, reading: true),
                isEnding ? .none : PollEntry(leash, reading: true),
                handover.map { PollEntry($0.pollNumber, reading: true) } ?? .none,
                passivePortEntry,
                isEnding || hasLostCensus ? .none : PollEntry(census.pollNumber, reading: true),
            ]
            let limit = state.isLoggedIn ? finishTime : min(finishTime, loginDeadline)
            // What a login has used of the stack is not used again soon.
            let rest = state.isLoggedIn && !isAtRest ? Deadline(after: Self.restDelay) : .never
            guard let count = try? poll(&entries, until: min(limit, rest)) else { return }
            if count == 0, rest.hasPassed {
                isAtRest = true
                DaemonProcess.releaseFreeMemory(heap: false)
            }
            if count == 0, finishTime.hasPassed {
                logger.warning("ended: the time to finish is over")
                return
            }
            // Whatever the Session sends meanwhile: ours has ended by then.
            if !state.isLoggedIn, hasLoginTimePassed() { return }
            if entries[4].hasHungUp, state.isLoggedIn { hasLostCensus = true }
            if let reason = reasonToFinish(entries[1], entries[4]) {
                // The Listener has said in the log that it makes room.
                if reason == .makesRoom { logger.logLevel = .error }
                if reason == .kicked { logger.notice("session ended by an administrator") }
                audited.reasonToEnd = reason
                guard let end = try? tellToFinish(reason) else { return }
                finishTime = end
            }
            if entries[2].isReadable { serveHandover() }
            if entries[3].hasHungUp { endListening() }
            if entries[0].isReadable {
                do throws(SessionOver) {
                    try serveOne()
                } catch {
                    return
                }
                if isOver { return }
            }
        }
    }

    private func serveHandover() {
        do throws(MessageError) {
            guard let desk = handover, let problem = try desk.serve() else { return }
            if mayLog() { logger.error("upload not handed over: \(problem)") }
            guard desk.isOverdrawn else { return }
            logger.error("no more uploads of this session are handed over: too many were refused")
            handover = nil
        } catch {
            // The Agent is gone, as the Session will notice, or is none of ours any more.
            if error != .truncated { logger.error("violation on the handover channel: \(error)") }
            handover = nil
        }
    }

    /// Receives one request, checks that it may be made now, and carries it out.
    final func serveOne() throws(SessionOver) {
        do {
            guard var message = try channel.receive() else {
                hasSessionLeft = true
                throw SessionOver()
            }
            guard message.takeDescriptor() == nil else { throw MessageError.wrongDescriptor }
            let request = try WardenRequest(decoding: message.bytes)
            message.wipe()
            if !request.kind.leavesNothing { isUsed = true }
            try state.allow(request.kind)
            // Ours waits for each answer; descriptors in answers that nobody reads would pile up.
            guard channel.unreceivedByteCount <= Self.maximumUnreceivedByteCount else {
                throw MessageError.outOfTurn
            }
            try perform(request)
        } catch let error as MessageError {
            // Whoever sends this is not the Session that we started.
            isUsed = true
            logger.error("session ended: violation on the warden channel: \(error)")
            throw SessionOver()
        } catch {
            throw SessionOver()
        }
    }

    private func perform(_ request: WardenRequest) throws(SystemError) {
        switch request {
        case .authenticate(let attempt):
            markLog(isClear: attempt.isClear)
            try logIn(attempt.user, by: .password(attempt))
        case .showCertificate(let recording): try take(recording)
        case .admit(let user): try admit(user)
        case .endLogin:
            endLogin()
            loginDeadline = Deadline(after: settings.loginTimeout + Self.loginGrace)
            logger[metadataKey: "user"] = nil
            limitFileSize(to: 0)
            state = .beforeLogin(attemptsLeft: state.attemptsLeft)
            try channel.send(WardenReply.loginEnded.encoded)
        case .listenForData: try listenForData()
        case .connectForData(let address, let port): try connectForData(address, port)
        case .log(let level, let text): log(level, text)
        case .logAction(let level, let text):
            logAction(level, text)
        case .markClear(let isClear): markLog(isClear: isClear)
        case .record(let action):
            recordAction(action)
            reportEvent(action)
        case .handshake(let report): meter?.note(report)
        case .audit(let action):
            audit(action)
            if !isOver { try channel.send(WardenReply.audited.encoded) }
        case .noteTLS(let tls): noteTLS(tls)
        case .recordLine(let isReply, let text): recordLine(isReply: isReply, text)
        case .accountName(let account):
            try channel.send(WardenReply.accountName(name(of: account)).encoded)
        case .charge(let byteCount): try charge(byteCount)
        case .client(let client): try take(client)
        // Received by whoever waits for them, and nowhere else allowed.
        case .answer, .giveUp: throw SystemError("warden", .invalidArgument)
        case .listSessions:
            questions.spendPatiently(wait(until:))
            try channel.send(WardenReply.sessions(ownSessions()).encoded)
        }
    }

    // MARK: Login

    func logIn(_ user: String, by proof: LoginProof) throws(SystemError) {
        let shown = LogText.value(user.utf8)
        logins.spendPatiently(wait(until:))
        watch = Stopwatch()
        abandonment = nil
        limitLogin()
        defer { KillTimer.stop() }
        isAtRest = false
        do throws(LoginRefusal) {
            // A connection that was made before the ban is no way around it.
            try admit(user, proof)
            let login = try check(user, proof)
            // Guesses that were under way when the user was locked out lead nowhere.
            if settings.locksUsers { try admit(user, proof) }
            // The Agent is forked from this process, and would take the password along.
            proof.wipe()
            self.login = login
            let profile = try settings.profile(login.account)
            namesAccounts = profile.namesAccounts
            // Asked after the password, or anybody could find out who is logged in.
            if let refusal = census.refusal(
                of: login.account.key,
                maximum: profile.maximumSessions
            ) {
                throw refusal
            }
            for remark in profile.remarks { logger.warning("\(remark)") }
            let agentEnd = try startAgent(for: login.account, profile)
            logger[metadataKey: "user"] = .string(shown)
            logger.logLevel = logLevel
            logger.info(
                "login",
                metadata: [
                    "uid": .stringConvertible(login.account.credentials.user),
                    "by": .string(proofText(proof, for: login.account)),
                ]
            )
            recordLogin(user, login.account)
            meter?.note(nil as LoginRefusal?, nanoseconds: watch.nanoseconds)
            auditLogin(user, login.account, by: proof)
            // Nobody is let in of whom that would not be written.
            if isOver { return endLogin() }
            reportEvent()
            limitFileSize(to: profile.rules.uploads.limits.fileSize)
            state = .loggedIn(attemptsLeft: state.attemptsLeft)
            wait(until: Deadline(after: settings.successDelay))
            let reply = WardenReply.granted(
                LoginTerms(
                    permissions: profile.rules.permissions,
                    workingDirectory: profile.workingDirectory,
                    isAnonymous: profile.isAnonymous,
                    options: profile.sessionOptions,
                    root: settings.showsRoot ? profile.root : nil
                )
            )
            try? channel.send(reply.encoded, with: agentEnd.descriptor)
        } catch {
            endLogin()
            let failures = census.noteRefusedLogin(isFailedProof: error.isFailedProof)
            recordRefusal(of: user)
            meter?.note(error, nanoseconds: watch.nanoseconds)
            auditRefusal(of: user, error.logText)
            let attemptsLeft = state.attemptsLeft - 1
            state = .beforeLogin(attemptsLeft: attemptsLeft)
            logger.notice(
                "login refused",
                metadata: [
                    "user": .string(shown),
                    "why": .string(LogText.reason(abandonment ?? error.logText)),
                ]
            )
            awaitRefusal(after: failures)
            // The wait was ours, so there is time to tell the client.
            loginDeadline = max(loginDeadline, Deadline(after: Self.loginGrace))
            try channel.send(
                WardenReply.refused(error.notice, isLast: attemptsLeft == 0).encoded
            )
        }
    }

    /// Starts the Agent and waits until it stands behind its walls.
    func startAgent(
        for account: Account,
        _ profile: LoginProfile
    ) throws(LoginRefusal) -> MessageSocket {
        guard account.credentials.user != 0 || !Credentials.isRoot else {
            throw .denied(rule: "root may not log in")
        }
        guard account.credentials.group != 0 || !Credentials.isRoot else {
            throw .denied(rule: "the primary group is root's")
        }
        do throws(SystemError) {
            let pair = try MessageSocket.makePair()
            let quota = try quotaPage(for: profile)
            let journal = UploadJournal(on: try SharedPage(mapping: SharedPage.make()))
            var desk: MessageSocketPair?
            if profile.uploadOwner != nil { desk = try MessageSocket.makePair() }
            // What PAM has left is neither taken along nor kept.
            DaemonProcess.releaseFreeMemory(heap: true)
            switch try DaemonProcess.fork() {
            case .child:
                forgetSharedPages()
                AgentRole.run(
                    account,
                    profile,
                    channel: pair.takeSecond(),
                    quota: quota,
                    journal: journal,
                    handover: desk.take()?.takeSecond(),
                    settings: settings
                )
            case .parent(let process):
                agent = process
                self.profile = profile
                self.journal = journal
                if let owner = profile.uploadOwner, let socket = desk.take()?.takeFirst() {
                    handover = HandoverDesk(
                        socket,
                        owner: owner,
                        uploader: account.credentials.user
                    )
                }
                let end = pair.takeFirst()
                var answer: [UInt8] = []
                if let message = try end.receive() { answer = message.bytes }
                guard answer == AgentRole.ready else { throw AgentRole.failure(answer) }
                return end
            }
        } catch {
            throw .unavailable(reason: "\(error)")
        }
    }

    /// The page that the user's Agents share, if there is a quota; mapped before the fork, so that
    /// nothing has to be handed over.
    func quotaPage(for profile: LoginProfile) throws(SystemError) -> SharedPage? {
        guard profile.rules.uploads.limits.hasQuota else { return nil }
        // Without the Listener's page the quota still holds for this session.
        if let shared = census.page(.quota) { return try SharedPage(mapping: shared) }
        return try SharedPage(mapping: SharedPage.make())
    }

    /// Ends the Agent and the login, if there are any.
    final func endLogin() {
        endListening()
        // Before anything that may hang.
        if state.isLoggedIn, login != nil { auditLogout() }
        // Closing a PAM session may hang as well as opening one.
        limitLogin()
        defer { KillTimer.stop() }
        handover = nil
        if let process = agent.take() {
            // Without its Session an Agent finishes an upload as failed and ends by itself.
            if !DaemonProcess.awaitEnd(of: process, until: Deadline(after: Self.agentTimeout)) {
                DaemonProcess.signal(process, 9)
            }
            let status = DaemonProcess.reap(process, waits: true)?.1
            if status == RoleStatus.violation {
                logger.error("session ended: violation on the agent channel")
            }
            endLeftUpload()
        }
        journal = nil
        profile = nil
        pace = nil
        logged.user = nil
        census.noteLogout()
        login.take()?.end()
    }

    /// Has the kernel stop the Session itself from writing more to a file (`max_file_size`).
    ///
    /// The Agent counts what the Session asks for; this holds even for one that does not ask.
    private func limitFileSize(to byteCount: Int64) {
        guard byteCount > 0 || hasFileSizeLimit else { return }
        hasFileSizeLimit = byteCount > 0
        DaemonProcess.limitFileSize(
            of: session,
            to: byteCount > 0 ? UInt64(byteCount) : nil,
            as: settings.unprivileged
        )
    }

    /// What an owner is called, for the login that may know it.
    private func name(of account: AccountNumber) -> String? {
        guard namesAccounts, nameQuestionsLeft > 0 else { return nil }
        nameQuestionsLeft -= 1
        let name =
            switch account {
            case .user(let number): SystemAccount.name(ofUser: number)
            case .group(let number): SystemAccount.name(ofGroup: number)
            }
        guard let name, name.utf8.count <= AccountNumber.maximumNameByteCount else { return nil }
        return name
    }

    // MARK: The client

    /// Takes the client that a proxy speaks for.
    ///
    /// Believed because nobody but the proxy has sent a byte so far: a Session that a client takes
    /// over later has said it already, and says it once.
    private func take(_ client: SocketAddress) throws(SystemError) {
        logger[metadataKey: "peer"] = .stringConvertible(client)
        logger[metadataKey: "proxy"] = .stringConvertible(peer)
        audited.proxy = peer
        peer = client
        let refusal = census.refusal(of: client.address)
        // Whoever is turned away does not log in, whatever becomes of the Session.
        state = .beforeLogin(attemptsLeft: refusal == nil ? state.attemptsLeft : 0)
        if let refusal {
            logger.notice("client refused", metadata: ["why": .string(refusal.logText)])
        } else {
            logger.info("connected")
        }
        record(.connection(refusal: refusal?.ownLogText))
        auditConnection(refusal)
        try channel.send(WardenReply.client(refusal).encoded)
    }

    // MARK: Log and end

    /// Has every line from here on say whether the session works without TLS.
    private func markLog(isClear: Bool) {
        logger[metadataKey: ClearMark.key] = isClear ? ClearMark.value : nil
    }

    final func end() {
        DaemonProcess.signal(session, 9)
        let status = DaemonProcess.reap(session, waits: true)?.1
        isUnspoilt =
            status == 0 && hasSessionLeft && !isUsed && !isOver && finishTime == .never
        // There was no login to end, where none was asked for.
        if isUsed { endLogin() }
        finish(status ?? 0)
    }

    private func finish(_ status: CInt) {
        reportDropped()
        if case .beforeClient = state {} else { auditEnd(status) }
        switch status {
        // Ended by itself, or by the line above.
        case 0, 128 + 9:
            // A load balancer that looks whether we live is no session.
            if case .beforeClient = state { break }
            logger.info("disconnected")
        case RoleStatus.notConfined: logger.error("session not started: could not be confined")
        default: logger.error("session ended by status \(status)")
        }
    }
}

/// The session has ended, or has to.
struct SessionOver: Error {}
