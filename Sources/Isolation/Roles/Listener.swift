package import Authentication
internal import FTPProtocol
internal import Glibc
internal import LinuxSystem
package import Logging
internal import SystemPackage

/// The first process: accepts, counts and forks.
///
/// It reads no byte of the network, ever.
package final class Listener {
    /// Connections that the kernel holds for us: a burst of some hundred clients is nothing unusual.
    private static let backlog: CInt = 1_024

    /// Descriptors that are asked for at least; a container may well allow a thousand million.
    private static let descriptorCount: UInt64 = 65_536

    private let settings: ListenerSettings
    private let authorizers: [any Authorizer]
    private let logger: Logger
    private let signals: SignalDescriptor
    private var leash: Pipe
    private var sockets: [ListeningBox]
    private var counter: AddressCounter
    private var census = Census()
    private var signer: Signer?
    private var retiredSigners: Set<CInt> = []
    private var orphans = Orphans()
    private var resolver: CInt?
    private var resolverPause = RestartPause()
    private var nextResolver = Deadline.passed
    /// Processes that close what killed ones have left open.
    private var closers: Set<CInt> = []
    private let hasSigner: Bool
    private var nextAttempt = Deadline.never
    private var isEnding = false

    /// What SIGHUP, and the end of the Signer, ask for.
    package var reload: () -> Void = {}

    /// The logs that Wardens write, opened before the first client.
    package var logs: TransferLogs?

    /// Checks clients' certificates for the Wardens of later sessions.
    package var certificateCheck: CertificateCheck?

    private var bans: AddressBans
    private var failuresOfUsers: FailureCounts<String>
    private var failuresFromAddresses: FailureCounts<IPAddress>
    private var refusalBudget = LogBudget()
    private var connectionBudget = LogBudget()
    private var rates: ConnectionRates
    private var isFull = false
    private var hasFailedToAccept = false

    /// Opens the control ports.
    ///
    /// - Throws: ``ListenerError`` naming the address that could not be listened on.
    package init(
        _ settings: ListenerSettings,
        authorizers: [any Authorizer],
        signer: Signer? = nil,
        logger: Logger
    ) throws(ListenerError) {
        self.settings = settings
        self.authorizers = authorizers
        self.signer = signer
        hasSigner = signer != nil
        self.logger = logger
        bans = AddressBans(settings.bans)
        failuresOfUsers = FailureCounts(period: settings.bans.period)
        failuresFromAddresses = FailureCounts(period: settings.bans.period)
        rates = ConnectionRates(maximum: settings.maximumConnectionRate)
        counter = AddressCounter(
            maximum: settings.maximumClients,
            maximumPerAddress: settings.maximumClientsPerAddress
        )
        var address: SocketAddress?
        do throws(SystemError) {
            // Before the ports are opened: a SIGTERM from now on is never lost.
            signals = try SignalDescriptor()
            leash = try Pipe()
            var sockets: [ListeningBox] = []
            let inherited = settings.takesInheritedSockets ? InheritedSocket.count : 0
            for index in 0..<inherited {
                let socket = try InheritedSocket.take(index)
                let kind = settings.kind(socket.name)
                sockets.append(ListeningBox(socket.takeDescriptor(), kind))
            }
            for port in settings.ports where inherited == 0 {
                address = port.address
                sockets.append(
                    ListeningBox(
                        try .listening(
                            on: port.address,
                            backlog: Self.backlog,
                            isDualStack: settings.isDualStack
                        ),
                        port.kind
                    )
                )
            }
            self.sockets = sockets
        } catch {
            throw ListenerError(address: address, cause: error)
        }
    }

    /// Where clients are accepted, with the numbers that the kernel chose.
    package var localPorts: [ControlPort] {
        sockets.compactMap { socket in
            guard let address = try? socket.descriptor.localAddress() else { return nil }
            return ControlPort(address, socket.kind)
        }
    }

    /// Whether handshakes of later sessions can be signed.
    package var canSign: Bool { !hasSigner || signer != nil }

    /// Has later sessions use another Signer; the old one ends with the sessions that know it.
    package func use(_ next: Signer) {
        if let signer { retiredSigners.insert(signer.process) }
        signer = next
    }

    /// Serves until SIGTERM or SIGINT.
    ///
    /// Idle sessions are then told to go, running transfers may finish within the Wardens' limit,
    /// and a second signal ends them at once.
    ///
    /// - Parameter body: What each Session runs, in its own process.
    package func run(_ body: (consuming SessionStart) -> Void) {
        DaemonProcess.setName("ftps-listener")
        // Three for each session at most: its reports, and the pages that a user's sessions share.
        let reserve = settings.warden.proxyNetworks.isEmpty ? 0 : AddressCounter.reserve
        let wanted = UInt64(settings.maximumClients + reserve) * 3 + 64
        let descriptors = setDescriptorLimit(
            settings.maximumClients > 0 ? max(wanted, Self.descriptorCount) : .max
        )
        if settings.maximumClients > 0, descriptors < wanted {
            logger.warning("the limit of open files (\(descriptors)) is low for max_clients")
        }
        confine()
        restoreResolver()
        while wait(until: .never) { acceptClients(body) }
        finish()
    }

    /// Gives up what neither this process nor a later one needs.
    private func confine() {
        if let gap = Confinement.landlockGap(ofABI: Confinement.landlockABI) {
            logger.warning("\(gap)")
        }
        do throws(SystemError) {
            try Confinement.enterListener(settings.warden)
        } catch {
            logger.critical(
                "this process cannot be confined: \(error); see pam_sandbox and seccomp_sandbox"
            )
            DaemonProcess.exit(RoleStatus.notConfined)
        }
    }

    /// Starts the process that looks the announced name up when there is none, again and again.
    private func restoreResolver() {
        guard let announced = settings.announcedName, resolver == nil, !isEnding,
            nextResolver.hasPassed
        else { return }
        guard let page = census.mapServerPage(.announcedAddress) else {
            logger.error("pasv_address: no memory in which to tell the address of a name")
            nextResolver = Deadline(after: resolverPause.next())
            return
        }
        // A later process goes on from what the one before has found.
        if page.announcedAddress == nil {
            if let address = announced.address {
                page.put(address)
            } else {
                logger.warning(
                    "pasv_address: \(announced.name) cannot be looked up yet; until then PASV is refused"
                )
            }
        }
        resolverPause.noteStart()
        switch try? DaemonProcess.fork() {
        case .child:
            ResolverRole.run(
                announced,
                on: page,
                as: settings.warden.unprivileged,
                settings.warden.systemCalls,
                logger
            )
        case .parent(let process): resolver = process
        case nil:
            logger.error("pasv_address: no process to look \(announced.name) up again")
            nextResolver = Deadline(after: resolverPause.next())
        }
    }

    /// Waits for clients; `false` when a signal asked to end.
    private func wait(until deadline: Deadline) -> Bool {
        var entries = [PollEntry(signals.descriptor.number, reading: true)]
        entries += sockets.map { PollEntry($0.descriptor.number, reading: !isFull) }
        // Out of descriptors or memory: look again a little later instead of spinning.
        var limit = isFull ? min(deadline, Deadline(after: .milliseconds(200))) : deadline
        if hasSigner, signer == nil, !isEnding { limit = min(limit, nextAttempt) }
        if settings.announcedName != nil, resolver == nil, !isEnding {
            limit = min(limit, nextResolver)
        }
        isFull = false
        let own = entries.count
        let reporters = census.channels
        entries += reporters.map(\.entry)
        _ = try? poll(&entries, until: limit)
        for (entry, reporter) in zip(entries[own...], reporters) where entry.isReadable {
            serveCensus(reporter.process)
        }
        let goesOn = !takeSignals()
        restoreSigner()
        restoreResolver()
        return goesOn
    }

    /// Starts another Signer when there is none, again and again until it works.
    private func restoreSigner() {
        guard hasSigner, signer == nil, !isEnding, nextAttempt.hasPassed else { return }
        nextAttempt = Deadline(after: .seconds(5))
        logger.error("no handshake can be signed; starting the process that does again")
        reload()
    }

    private func serveCensus(_ process: CInt) {
        switch census.serve(process) {
        case .attempt(let process, let address):
            census.answer(process, bans.holds(address) ? .full : .admitted)
        case .client(let process, let address):
            if let refusal = refusal(of: address) {
                census.answer(process, .refused(refusal))
            } else {
                counter.add(process, from: address)
                census.noteClient(of: process)
                census.answer(process, .admitted)
            }
        case .failedLogin(let process, let address, let user):
            // Counted apart: many addresses that guess at one user, and one that guesses at many.
            let ofUser = failuresOfUsers.note(user)
            let fromAddress = failuresFromAddresses.note(address.network)
            census.answer(process, .failures(max(ofUser, fromAddress)))
            guard bans.noteFailure(from: address) else { return }
            logger.warning("address banned", metadata: ["address": .stringConvertible(address)])
        case .violation(let process, let error):
            // A Warden reads nothing of the network and still is not believed.
            logger.error("violation on the census channel: \(error)")
            DaemonProcess.signal(process, SIGKILL)
        case nil: break
        }
    }

    /// Reaps children; `true` when a signal asked to end.
    private func takeSignals() -> Bool {
        var mustEnd = false
        while let signal = signals.next() {
            switch signal {
            case SIGTERM, SIGINT: mustEnd = true
            case SIGHUP:
                logger.notice("SIGHUP: reading certificates anew; other options need a restart")
                inspectAuthorizers()
                logs?.reopen(logger)
                reload()
            default: break
            }
        }
        var hasLost = false
        while let (process, status) = DaemonProcess.reap() {
            if retiredSigners.remove(process) != nil { continue }
            if process == resolver {
                let pause = resolverPause.next()
                logger.error(
                    "the process that looks pasv_address up has ended; another starts in \(pause)"
                )
                resolver = nil
                nextResolver = Deadline(after: pause)
                continue
            }
            if closers.remove(process) != nil {
                if status == RoleStatus.leavesChildren { orphans.tolerate(besides: ownProcesses) }
                if status > 128 { hasLost = true }
                continue
            }
            if process == signer?.process {
                logger.error("the process that signs handshakes has ended")
                signer = nil
                nextAttempt = .passed
                continue
            }
            guard counter.contains(process) else {
                if orphans.remove(process) { hasLost = true }
                continue
            }
            if status == RoleStatus.leavesChildren { orphans.tolerate(besides: ownProcesses) }
            if status > 128 { hasLost = true }
            if status == 128 + SIGKILL {
                logger.warning(
                    "a session was killed: its login took too long (pam_timeout), or memory ran out"
                )
            } else if status > 128 {
                logger.error(
                    "a session's warden ended by signal \(status - 128); see its PAM modules"
                )
            }
            forget(process)
        }
        if hasLost, !orphans.end(besides: ownProcesses) {
            logger.warning("programs of PAM modules may be left: /proc does not show children")
        }
        return mustEnd
    }

    /// Forgets a session that has ended, and closes what it cannot close any more.
    private func forget(_ process: CInt) {
        if let left = census.leftSession(of: process) { close(left) }
        counter.remove(process)
        census.remove(process)
        forgetPassivePort(of: process)
    }

    private func close(_ left: LeftSession) {
        do throws(SystemError) {
            switch try DaemonProcess.fork() {
            case .child: CloserRole.run(left, authorizers, within: settings.warden.loginLimit)
            case .parent(let process): closers.insert(process)
            }
        } catch {
            logger.error(
                "a PAM session of \(LogText.escaped(Array(left.user.utf8))) stays open: \(error)"
            )
        }
    }

    /// Has the passive port of a Warden that has ended count no longer.
    private func forgetPassivePort(of process: CInt) {
        guard settings.warden.maximumPassivePerAddress > 0 else { return }
        // Mapped for the moment only: a Session that is forked later must not have it.
        guard let page = census.mapServerPage(.passivePorts) else {
            logger.error("pasv_max_per_ip: a port that is closed may count on")
            return
        }
        PassivePortLedger.forget(process, on: page)
    }

    /// The children that this process has started itself.
    private var ownProcesses: Set<CInt> {
        retiredSigners.union(counter.processes)
            .union([signer?.process, resolver].compactMap(\.self))
            .union(closers)
    }

    /// Says what the files hold that Wardens read anew for each login.
    private func inspectAuthorizers() {
        for line in authorizers.flatMap({ $0.inspect() }) { logger.notice("\(line)") }
    }

    private func acceptClients(_ body: (consuming SessionStart) -> Void) {
        for socket in sockets {
            // A bounded number in a row, so that one busy port cannot starve the others.
            for _ in 0..<64 {
                do throws(SystemError) {
                    guard let client = try socket.descriptor.accept() else { break }
                    hasFailedToAccept = false
                    serve(client, socket.kind, body)
                } catch {
                    // Once, and not each time that it is tried again.
                    if !hasFailedToAccept { logger.error("accept: \(error)") }
                    hasFailedToAccept = true
                    isFull = true
                    break
                }
            }
        }
    }

    private func serve(
        _ client: consuming AcceptedConnection,
        _ kind: ControlPort.Kind,
        _ body: (consuming SessionStart) -> Void
    ) {
        let peer = client.peer
        let control = client.takeDescriptor()
        // Whom a proxy speaks for, if for anybody, is known when its Session has read the header; every
        // limit is asked then.
        let isProxy = settings.warden.proxyNetworks.contain(peer.address)
        if let refusal = isProxy ? counter.refusalOfUnnamed() : refusal(of: peer.address) {
            refuse(control, peer, refusal, kind)
            return
        }
        var logger = logger
        let identifier = randomWord(count: 8)
        logger[metadataKey: "session"] = .string(identifier)
        logger[metadataKey: "peer"] = .stringConvertible(peer)
        if !settings.offersTLS { logger[metadataKey: ClearMark.key] = ClearMark.value }
        let isQuiet = !mayLogConnection()
        do throws(SystemError) {
            let pair = try MessageSocket.makePair()
            let signerChannel = signer?.makeChannel()
            if hasSigner, signerChannel == nil {
                refuse(control, peer, .noResources, kind)
                return
            }
            switch try DaemonProcess.fork() {
            case .child:
                Warden.run(
                    control: control,
                    peer: peer,
                    kind: kind,
                    leash: leash.output,
                    census: pair.takeSecond(),
                    signer: signerChannel,
                    settings: settings.warden,
                    authorizers: authorizers,
                    certificateCheck: certificateCheck,
                    logs: logs,
                    logger: logger,
                    isQuiet: isQuiet,
                    body: body
                )
            case .parent(let process):
                if isProxy {
                    counter.addUnnamed(process)
                } else {
                    counter.add(process, from: peer.address)
                }
                census.add(
                    process,
                    pair.takeFirst(),
                    identifier: identifier,
                    address: peer.address,
                    hasClient: !isProxy
                )
                if !isProxy, !isQuiet { logger.info("connected") }
            }
        } catch {
            refuse(control, peer, .noResources, kind)
        }
    }

    private func refusal(of address: IPAddress) -> ClientRefusal? {
        if let refusal = refusalByPast(address) { return refusal }
        if settings.maximumLoad > 0, loadAverageInHundredths() > settings.maximumLoad {
            return .tooBusy
        }
        if counter.isFull(address) { return .tooManyFromAddress }
        return makeRoom(for: address)
    }

    /// Why there is no room for one more session, or `nil`.
    ///
    /// Where there is none, whoever has been silent for long before a login makes some: connections
    /// that are only held open keep nobody out.
    private func makeRoom(for newcomer: IPAddress) -> ClientRefusal? {
        let isFull = counter.refusal(of: newcomer, leaving: census.leavingCount) != nil
        let isCrowded =
            settings.maximumPendingClients > 0
            && census.pendingCount >= settings.maximumPendingClients
        guard isFull || isCrowded else { return nil }
        guard let dismissed = census.dismissOne(for: newcomer) else {
            return isFull ? .tooManyClients : .tooManyBeforeLogin
        }
        logRefusal(
            "client sent away before the login, to make room",
            [
                "session": .string(dismissed.identifier),
                "address": .stringConvertible(dismissed.address),
            ]
        )
        return nil
    }

    /// Why a client is refused for what came from its address before.
    private func refusalByPast(_ address: IPAddress) -> ClientRefusal? {
        if bans.holds(address) { return .banned }
        return rates.isTooMany(from: address) ? .tooOften : nil
    }

    private func refuse(
        _ control: consuming OwnedDescriptor,
        _ peer: SocketAddress,
        _ refusal: ClientRefusal,
        _ kind: ControlPort.Kind
    ) {
        logRefusal(
            "client refused",
            ["peer": .stringConvertible(peer), "why": .string(refusal.logText)]
        )
        let event = TransferLogEvent.connection(refusal: refusal.ownLogText)
        logs?.write(event, about: LoggedClient(peer.address), logger)
        guard kind != .implicitTLS else { return }
        _ = unsafe refusal.reply.encoded.withUnsafeBytes { unsafe control.send($0) }
    }

    /// Whether the coming and going of one more client is written down, unless it logs in.
    private func mayLogConnection() -> Bool {
        switch connectionBudget.spend() {
        case .drop: return false
        case .writeAfterDropping(let count):
            logger.warning("connections that the log says nothing about: \(count)")
            return true
        case .write: return true
        }
    }

    /// Writes a line about a client that is turned away, unless there were too many of late.
    private func logRefusal(_ text: String, _ metadata: Logger.Metadata) {
        switch refusalBudget.spend() {
        case .drop: return
        case .writeAfterDropping(let count):
            logger.warning("lines about clients that were turned away dropped: \(count)")
        case .write: break
        }
        logger.notice("\(text)", metadata: metadata)
    }

    private func finish() {
        isEnding = true
        logger.notice("ending", metadata: ["sessions": .stringConvertible(counter.processes.count)])
        sockets = []
        leash.closeInput()
        var deadline = Deadline(after: settings.warden.shutdownTimeout + .seconds(5))
        while !(counter.isEmpty && closers.isEmpty), !deadline.hasPassed {
            if !wait(until: deadline) { deadline = .passed }
        }
        for process in counter.processes {
            end(process)
            forget(process)
        }
        // What a killed session has left open is closed within the same moment as ever.
        deadline = Deadline(after: .seconds(5))
        for process in closers {
            _ = DaemonProcess.awaitEnd(of: process, until: deadline)
            end(process)
        }
        for process in [signer?.process, resolver].compactMap(\.self) + retiredSigners {
            end(process)
        }
        // What the sessions that were killed just now have left; bounded, for what hangs in the kernel.
        deadline = Deadline(after: .seconds(2))
        orphans.end(besides: [])
        while orphans.isEnding, !deadline.hasPassed { _ = wait(until: deadline) }
        logger.notice("ended")
    }
}

/// Kills a child and reaps it.
private func end(_ process: CInt) {
    DaemonProcess.signal(process, SIGKILL)
    _ = DaemonProcess.reap(process, waits: true)
}

/// Holds one listening socket, since arrays hold no value with a single owner.
private final class ListeningBox {
    let descriptor: OwnedDescriptor
    let kind: ControlPort.Kind

    init(_ descriptor: consuming OwnedDescriptor, _ kind: ControlPort.Kind) {
        self.descriptor = descriptor
        self.kind = kind
    }
}
