internal import Authentication
internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import LinuxSystem
internal import Logging
internal import SystemPackage
internal import TLS

/// One of the ways to serve.
protocol ServerEngine: Sendable {
    var address: ServerAddress { get }
    var timers: TimerQueue { get }
    var logger: Logger { get }
    func serve()
    func stop()
    func closeAll()
    /// Has the thread that serves look at its timers.
    func wake()
}

/// Sessions are threads.
final class ThreadEngine: ServerEngine {
    private let listener: EmbeddedListener
    private let plan: ServerPlan
    private let events: EventThread?

    init(_ plan: ServerPlan, _ socket: consuming OwnedDescriptor?) throws(ServerError) {
        self.plan = plan
        do throws(SystemError) {
            events = try plan.settings.events.map { (queue) throws(SystemError) in
                try EventThread(queue.act)
            }
        } catch {
            throw ServerError("events: \(error)")
        }
        let base = plan.settings.authorizer
        var settings = EmbeddedSettings(ports: [plan.port]) { [AuthorizerAdapter(base)] }
        settings.maximumClients = plan.configuration.listening.maximumClients
        settings.maximumClientsPerAddress = plan.configuration.listening.maximumClientsPerAddress
        settings.bans = plan.configuration.listening.bans
        settings.userLocks = plan.configuration.listening.userLocks
        settings.warden = WardenSettings(plan.configuration)
        settings.refusalReply = plan.refusalReply
        if let events { settings.noteEvent = { events.send($0) } }
        if let files = plan.settings.abstractedFS {
            settings.showsRoot = files.usesHome
            settings.openFiles = { (account, profile) throws(LoginRefusal) in
                let jail = files.usesHome ? try LocalFiles.openJail(account, profile) : nil
                do {
                    let own = AbstractedFileSystem(try plan.files(account, profile.root, jail))
                    return PermittedFileSystem(own, rules: profile.rules, resolver: jail ?? own)
                } catch {
                    throw .unavailable(reason: "files: \(error)")
                }
            }
        }
        settings.noteLogin = { (login, begins) throws(LoginRefusal) in
            guard let user = (login as? EmbeddedLogin)?.user else { return }
            do {
                if begins {
                    try base.impersonateUser(user)
                } else {
                    try base.terminateImpersonation(user)
                }
            } catch {
                throw .unavailable(reason: "impersonation: \(error)")
            }
        }
        do throws(ListenerError) {
            listener = try EmbeddedListener(settings, adopting: socket.take(), logger: plan.logger)
        } catch {
            throw ServerError("\(error)")
        }
    }

    var address: ServerAddress { plan.address(listener.localPorts) }
    var timers: TimerQueue { listener.timers }
    var logger: Logger { plan.logger }
    func wake() { listener.wake() }
    func stop() { listener.stop() }
    func closeAll() { listener.closeAll() }

    func serve() {
        let plan = plan
        listener.run { start in
            let credentials = plan.certificate?.credentials
            var context: TLSContext?
            do throws(TLSError) {
                context = try credentials?.takeContext()
            } catch {
                plan.logger.error("session not started: \(error)")
                return
            }
            let settings = SharedSettings(plan.handlerSettings(context))
            plan.handler.init(FTPSession(start, settings)).run()
            credentials?.giveBack(&context)
        }
        plan.note(events?.finish(until: plan.endOfEvents))
    }
}

/// Sessions are groups of processes.
final class ProcessEngine: ServerEngine {
    // SAFETY: used by the one thread that there is; fork(2) ends the program where there are two.
    nonisolated(unsafe) private let listener: Listener
    nonisolated(unsafe) private let context: TLSContext?
    nonisolated(unsafe) private let events: EventChannel?
    private let plan: ServerPlan
    private let process = DaemonProcess.id
    let timers = TimerQueue()

    init(_ plan: ServerPlan, _ socket: consuming OwnedDescriptor?) throws(ServerError) {
        self.plan = plan
        let unprivileged = try Self.unprivileged()
        unsafe events = try Self.startEvents(plan)
        let signer = try Self.startSigner(plan, unprivileged)
        unsafe context = try plan.remoteContext()
        var settings = ListenerSettings(ports: [plan.port])
        settings.maximumClients = plan.configuration.listening.maximumClients
        settings.maximumClientsPerAddress = plan.configuration.listening.maximumClientsPerAddress
        settings.offersTLS = plan.configuration.tls.isEnabled
        settings.bans = plan.configuration.listening.bans
        settings.userLocks = plan.configuration.listening.userLocks
        settings.warden = WardenSettings(plan.configuration)
        settings.warden.unprivileged = unprivileged
        settings.warden.sendsFiles = plan.sendsFiles
        settings.warden.showsRoot = plan.settings.abstractedFS?.usesHome ?? true
        settings.refusalReply = plan.refusalReply
        if plan.settings.abstractedFS != nil {
            settings.warden.replaceFiles = { (account, root, jail) throws(SystemError) in
                do {
                    return AbstractedFileSystem(try plan.files(account, root, jail))
                } catch {
                    throw SystemError("files", .invalidArgument)
                }
            }
        }
        if let unix = plan.settings.authorizer as? UnixAuthorizer {
            let make = settings.warden.profile
            settings.warden.profile = { (account) throws(LoginRefusal) in
                var profile = try make(account)
                // Who logs in without a password has been given a home and permissions before.
                guard account.kind == .local else {
                    profile.rules.permissions.formIntersection(unix.globalPermissions.base)
                    return profile
                }
                let terms = unix.terms(of: account.name, home: profile.root)
                profile.root = terms.home
                profile.rules.permissions.formIntersection(terms.permissions.base)
                return profile
            }
        }
        do throws(ListenerError) {
            unsafe listener = try Listener(
                settings,
                authorizers: plan.separatedAuthorizers,
                signer: signer,
                adopting: socket.take(),
                logger: plan.logger
            )
        } catch {
            throw ServerError("\(error)")
        }
        unsafe listener.timers = timers
        unsafe listener.events = events
    }

    var address: ServerAddress { plan.address(unsafe listener.localPorts) }
    var logger: Logger { plan.logger }

    func serve() {
        let plan = plan
        let settings = SharedSettings(unsafe plan.handlerSettings(context))
        unsafe listener.run { start in
            var start = start
            if let channel = start.takeSigner() { RemoteSigner.use(channel) }
            plan.handler.init(FTPSession(start, settings)).run()
        }
        plan.note(unsafe events?.finish(until: plan.endOfEvents))
    }

    // A signal is what the Listener waits for anyway; it is this process's, whoever calls.

    func wake() {}

    func stop() { DaemonProcess.signal(process, 15) }

    func closeAll() {
        stop()
        // Another one: two of a kind would count as one.
        DaemonProcess.signal(process, 2)
    }

    private static func unprivileged() throws(ServerError) -> Credentials? {
        guard Credentials.isRoot else { return nil }
        guard let account = SystemAccount(named: "nobody"), account.credentials.user != 0 else {
            throw ServerError("there is no account `nobody`, whose rights sessions have: add one")
        }
        return account.credentials
    }

    private static func startEvents(_ plan: ServerPlan) throws(ServerError) -> EventChannel? {
        guard let queue = plan.settings.events else { return nil }
        let settings = EventChannel.Settings(account: try queue.systemAccount, act: queue.act)
        do throws(SystemError) {
            return try EventChannel.start(settings, logger: plan.logger)
        } catch {
            throw ServerError("events: \(error)")
        }
    }

    private static func startSigner(
        _ plan: ServerPlan,
        _ unprivileged: Credentials?
    ) throws(ServerError) -> Signer? {
        guard let files = plan.certificate?.files else { return nil }
        var settings = SignerSettings { () throws(SignerFailure) in
            do throws(TLSError) {
                let keys = try SigningKeys([files])
                return { (message) throws(MessageError) in
                    SignatureReply.encoded(try keys.answer(message))
                }
            } catch {
                throw SignerFailure(kind: error.code.rawValue, place: nil, text: "\(error)")
            }
        }
        settings.unprivileged = unprivileged
        do throws(SignerFailure) {
            return try Signer.start(settings)
        } catch {
            throw ServerError("key: \(files.privateKey): \(error.text)")
        }
    }
}
