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

    /// How long a Session that has to make room may take for its last words.
    private static let dismissalTimeout: Duration = .milliseconds(100)

    /// What a notice that comes unasked may leave unread, with room to spare.
    private static let maximumUnreceivedByteCount = 8_192

    private(set) var peer: SocketAddress
    let local: SocketAddress
    let settings: WardenSettings
    private let authorizers: [any Authorizer]
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
    var state: WardenState
    var watch = Stopwatch()
    private(set) var login: (any Login)?
    private var nameQuestionsLeft = 0
    private var agent: CInt?
    var profile: LoginProfile?
    var journal: UploadJournal?
    private var handover: HandoverDesk?
    var serverPace: ServerPace?
    var passive = PassiveState()
    var logged: LoggedSession

    /// How often the Session may still ask whose the certificate is; every answer reads a file.
    var certificateQuestionsLeft = 8
    let leash: CInt
    /// The Session is gone, or has done what none of ours does.
    var isOver = false

    /// The client gave the present login up, so it is asked nothing more.
    var hasGivenUp = false

    init(
        peer: SocketAddress,
        local: SocketAddress,
        settings: WardenSettings,
        authorizers: [any Authorizer],
        channel: consuming MessageSocket,
        census: consuming CensusClient,
        session: CInt,
        leash: CInt,
        certificateCheck: CertificateCheck?,
        challenge: [UInt8],
        logs: TransferLogs?,
        logger: Logger,
        isQuiet: Bool = false
    ) {
        logged = LoggedSession(logs)
        self.certificateCheck = certificateCheck
        self.challenge = challenge
        self.peer = peer
        self.local = local
        self.settings = settings
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

    /// Becomes the Warden of a connection that was just accepted, in a process of its own.
    ///
    /// `leash` is a pipe whose other end only the Listener holds; it hangs up when the server is to
    /// end, or has ended. `isQuiet` leaves out of the log what is only told of, until a login; there
    /// were too many clients of late. `body` is what the Session runs.
    static func run(
        control: consuming OwnedDescriptor,
        peer: SocketAddress,
        kind: ControlPort.Kind,
        leash: borrowing OwnedDescriptor,
        census: consuming MessageSocket,
        signer: consuming MessageSocket?,
        settings: WardenSettings,
        authorizers: [any Authorizer],
        certificateCheck: CertificateCheck?,
        logs: TransferLogs?,
        logger: Logger,
        isQuiet: Bool,
        body: (consuming SessionStart) -> Void
    ) -> Never {
        DaemonProcess.setName("ftps-warden")
        do throws(SystemError) {
            let kept = [
                control.number, leash.number, census.descriptor.number,
                signer?.descriptor.number ?? -1,
            ]
            try DaemonProcess.closeDescriptors(except: kept + (logs?.descriptorNumbers ?? []))
            try DaemonProcess.resetSignals()
            try DaemonProcess.outliveTermination()
            let local = try control.localAddress()
            // Made on this side of the fork: a Session that chose it could have it signed before.
            let challenge = settings.certificates.needsProof ? randomBytes(count: 32) : []
            let pair = try MessageSocket.makePair()
            switch try DaemonProcess.fork() {
            case .child:
                SessionRole.run(
                    control: control,
                    channel: pair.takeSecond(),
                    peer: peer,
                    local: local,
                    kind: kind,
                    challenge: challenge,
                    signer: signer,
                    settings: settings,
                    body: body
                )
            case .parent(let session):
                // The Session has the connection now; no privileged process keeps it.
                try control.close()
                signer = nil
                // PAM reads others' hashes in this process, and the Agent is forked from it.
                CLinux_wipe_freed_memory()
                try Confinement.enterWarden()
                let warden = Warden(
                    peer: peer,
                    local: local,
                    settings: settings,
                    authorizers: authorizers,
                    channel: pair.takeFirst(),
                    census: CensusClient(census),
                    session: session,
                    leash: leash.number,
                    certificateCheck: certificateCheck,
                    challenge: challenge,
                    logs: logs,
                    logger: logger,
                    isQuiet: isQuiet
                )
                warden.serve()
                warden.end()
                DaemonProcess.exit(RoleStatus.ofModules)
            }
        } catch {
            logger.error("session not started: \(error)")
            DaemonProcess.exit(1)
        }
        DaemonProcess.exit(0)
    }

    /// Serves the Session until it has ended, or has to.
    final func serve() {
        for authorizer in authorizers {
            authorizer.watchSessions { [unowned self] in census.noteSystemSession(of: $0) }
        }
        // Who comes through a proxy is known later.
        if case .beforeLogin = state { record(.connection(refusal: nil)) }
        var deadline = Deadline.never
        while true {
            let isEnding = deadline != .never
            var entries = [
                PollEntry(channel.descriptor.number, reading: true),
                isEnding ? .none : PollEntry(leash, reading: true),
                handover.map { PollEntry($0.pollNumber, reading: true) } ?? .none,
                passivePortEntry,
                isEnding || state.isLoggedIn ? .none : PollEntry(census.pollNumber),
            ]
            guard let count = try? poll(&entries, until: deadline) else { return }
            if count == 0, deadline.hasPassed {
                logger.warning("ended: the time to finish is over")
                return
            }
            if entries[1].isReadable || entries[4].hasHungUp {
                if entries[1].isReadable {
                    deadline = Deadline(after: settings.shutdownTimeout)
                } else {
                    // It makes room for another one, as the Listener has said in the log.
                    logger.logLevel = .error
                    deadline = Deadline(after: Self.dismissalTimeout)
                }
                guard (try? channel.send(WardenReply.finish.encoded)) != nil else { return }
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
            guard let problem = try handover?.serve() else { return }
            logger.error("upload not handed over: \(problem)")
        } catch {
            // The Agent is gone, as the Session will notice, or is none of ours any more.
            if error != .truncated { logger.error("violation on the handover channel: \(error)") }
            handover = nil
        }
    }

    /// Receives one request, checks that it may be made now, and carries it out.
    private func serveOne() throws(SessionOver) {
        do {
            guard var message = try channel.receive() else { throw SessionOver() }
            guard message.takeDescriptor() == nil else { throw MessageError.wrongDescriptor }
            let request = try WardenRequest(decoding: message.bytes)
            message.wipe()
            try state.allow(request.kind)
            // Ours waits for each answer; descriptors in answers that nobody reads would pile up.
            guard channel.unreceivedByteCount <= Self.maximumUnreceivedByteCount else {
                throw MessageError.outOfTurn
            }
            try perform(request)
        } catch let error as MessageError {
            // Whoever sends this is not the Session that we started.
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
        case .record(let action): record(.action(action))
        case .recordLine(let isReply, let text): recordLine(isReply: isReply, text)
        case .accountName(let account):
            try channel.send(WardenReply.accountName(name(of: account)).encoded)
        case .charge(let byteCount): try charge(byteCount)
        case .client(let client): try take(client)
        case .shareRate:
            let reply = WardenReply.rate.encoded
            if let page = census.page(.rate) {
                try channel.send(reply, with: page)
            } else {
                try channel.send(reply)
            }
        // Received by whoever waits for them, and nowhere else allowed.
        case .answer, .giveUp: throw SystemError("warden", .invalidArgument)
        case .listSessions: try channel.send(WardenReply.sessions(ownSessions()).encoded)
        }
    }

    /// The sessions that SITE WHO may show: anonymous users are strangers to each other.
    private func ownSessions() -> [SessionEntry] {
        let sessions = census.sessions()
        guard login?.account.kind == .anonymous else { return sessions }
        let own = logger[metadataKey: "session"].map { "\($0)" }
        return sessions.filter { $0.identifier == own }
    }

    // MARK: Login

    func logIn(_ user: String, by proof: LoginProof) throws(SystemError) {
        let shown = LogText.escaped(Array(user.utf8))
        watch = Stopwatch()
        hasGivenUp = false
        limitLogin()
        defer { KillTimer.stop() }
        do throws(LoginRefusal) {
            // A connection that was made before the ban is no way around it.
            guard census.mayAttempt(user) else { throw .denied(rule: "banned (ban_failures)") }
            let login = try check(user, proof)
            // The Agent is forked from this process, and would take the password along.
            proof.wipe()
            self.login = login
            let profile = try settings.profile(login.account)
            nameQuestionsLeft = profile.namesAccounts ? AccountNumber.maximumQuestionCount : 0
            // Asked after the password, or anybody could find out who is logged in.
            guard census.admit(login.account.key, maximum: profile.maximumSessions) else {
                throw .tooManySessions
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
            limitFileSize(to: profile.rules.uploads.limits.fileSize)
            state = .loggedIn(attemptsLeft: state.attemptsLeft)
            sleep(for: settings.successDelay)
            let reply = WardenReply.granted(
                LoginTerms(
                    permissions: profile.rules.permissions,
                    workingDirectory: profile.workingDirectory,
                    isAnonymous: profile.isAnonymous,
                    options: profile.sessionOptions
                )
            )
            try? channel.send(reply.encoded, with: agentEnd.descriptor)
        } catch {
            endLogin()
            let failures = error.isFailedProof ? census.noteFailedLogin() : 1
            recordRefusal(of: user)
            let attemptsLeft = state.attemptsLeft - 1
            state = .beforeLogin(attemptsLeft: attemptsLeft)
            logger.notice(
                "login refused",
                metadata: ["user": .string(shown), "why": .string(error.logText)]
            )
            awaitRefusal(after: failures)
            try channel.send(
                WardenReply.refused(error.notice, isLast: attemptsLeft == 0).encoded
            )
        }
    }

    private func check(
        _ user: String,
        _ proof: LoginProof
    ) throws(LoginRefusal) -> any Login {
        defer { wipeStack() }
        let list = try settings.userList()
        let isListed = list.map { !$0.admits(user) } ?? false
        do throws(LoginRefusal) {
            let login = try authorize(user, proof)
            do throws(LoginRefusal) {
                try checkCertificate(for: login.account, proof)
            } catch {
                login.end()
                throw error
            }
            // Told last, so that nobody can tell by the time it takes who stands on the list. Asked
            // once more by the name that the check found: a list knows one spelling of it.
            let account = login.account
            let name = account.kind == .anonymous ? user.lowercased() : account.name
            let isFoundOnList = list.map { !$0.admits(name) } ?? false
            guard isListed || isFoundOnList else { return login }
            login.end()
        } catch {
            // Nor by the reply: whether a password is right is nothing to a user on the list.
            guard isListed, error.notice != .incorrect else { throw error }
        }
        throw .denied(rule: "userlist_file")
    }

    private func authorize(
        _ user: String,
        _ proof: LoginProof
    ) throws(LoginRefusal) -> any Login {
        var hasPassedOver = false
        for authorizer in authorizers {
            if case .password(let attempt) = proof, attempt.isClear, authorizer is UnixAuthorizer,
                !settings.takesPlainSystemLogins
            {
                hasPassedOver = true
                continue
            }
            do throws(LoginRefusal) {
                switch proof {
                case .certificate: return try authorizer.admit(user: user, from: peer.address)
                case .password(let attempt):
                    return try authorizer.authenticate(
                        user: user,
                        password: attempt.password,
                        from: peer.address,
                        asking: askForAccount
                    )
                }
            } catch {
                guard error == .unknownUser else { throw error }
            }
        }
        if hasPassedOver { throw .denied(rule: "no TLS (plain_system_logins)") }
        throw .unknownUser
    }

    /// Starts the Agent and waits until it stands behind its walls.
    func startAgent(
        for account: Account,
        _ profile: LoginProfile
    ) throws(LoginRefusal) -> MessageSocket {
        guard account.credentials.user != 0 || !Credentials.isRoot else {
            throw .denied(rule: "root may not log in")
        }
        do throws(SystemError) {
            let pair = try MessageSocket.makePair()
            let quota = try quotaPage(for: profile)
            let journal = UploadJournal(on: try SharedPage(mapping: SharedPage.make()))
            var desk: MessageSocketPair?
            if profile.uploadOwner != nil { desk = try MessageSocket.makePair() }
            switch try DaemonProcess.fork() {
            case .child:
                // Agents are no more to be trusted with everybody's rate than Sessions.
                serverPace = nil
                passive = PassiveState()
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
                guard answer == AgentRole.ready else {
                    throw SystemError("home directory", .noSuchFileOrDirectory)
                }
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
        logged.user = nil
        census.noteLogout()
        login.take()?.end()
    }

    /// Has the kernel stop the Session itself from writing more to a file (`max_file_size`).
    ///
    /// The Agent counts what the Session asks for; this holds even for one that does not ask.
    private func limitFileSize(to byteCount: Int64) {
        DaemonProcess.limitFileSize(
            of: session,
            to: byteCount > 0 ? UInt64(byteCount) : nil,
            as: settings.unprivileged
        )
    }

    /// What an owner is called, for the login that may know it.
    private func name(of account: AccountNumber) -> String? {
        guard nameQuestionsLeft > 0 else { return nil }
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
        try channel.send(WardenReply.client(refusal).encoded)
    }

    // MARK: Log and end

    /// Has every line from here on say whether the session works without TLS.
    private func markLog(isClear: Bool) {
        logger[metadataKey: ClearMark.key] = isClear ? ClearMark.value : nil
    }

    private func end() {
        DaemonProcess.signal(session, 9)
        let status = DaemonProcess.reap(session, waits: true)?.1 ?? 0
        endLogin()
        reportDropped()
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
private struct SessionOver: Error {}
