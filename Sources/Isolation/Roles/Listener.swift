package import Authentication
internal import FTPProtocol
internal import Glibc
package import LinuxSystem
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

    var settings: ListenerSettings
    var authorizers: [any Authorizer]
    let logger: Logger
    let signals: SignalDescriptor
    var leash: Pipe
    var sockets: [ListeningBox]
    var counter: AddressCounter
    var census: Census
    var signer: Signer?
    var retiredSigners: Set<CInt> = []
    var freeWardens = FreeWardens()
    var orphans = Orphans()
    var resolver = KeptProcess()
    /// What the log has been told of the announced name.
    var nameMemory = NameMemory(nil)
    var nextLookAtName = Deadline.passed
    var nameBudget = LogBudget(lineCount: 30, period: .seconds(60))
    /// Processes that close what killed ones have left open.
    var closers: Set<CInt> = []
    let hasSigner: Bool
    var nextAttempt = Deadline.never
    var isEnding = false
    /// More than one signal asked to end at the same moment.
    var endsAtOnce = false

    /// What SIGHUP and an administrator ask for, and the end of the Signer, which is no reason to read
    /// the configuration anew.
    package var reload: (_ isAsked: Bool) -> ReloadOutcome = { _ in
        ReloadOutcome(isDone: true, lines: [])
    }

    /// Who answers administrators; what this process does not know of the server is asked for.
    package var admin: AdminDesk?
    package var status: () -> ServerStatus = { ServerStatus() }

    /// Where Wardens report what happens, in a program that this server is part of.
    package var events: EventChannel?

    /// Who answers Prometheus, and where this process counts.
    package var metrics: MetricsDesk?
    package private(set) lazy var meter = makeMeter()

    /// What a program that this server is part of has called later.
    package var timers: TimerQueue?

    /// Who is told how it goes, if anybody wants to know.
    let manager: ServiceManager?

    /// Called once clients are about to be accepted, with all other processes started.
    package var whenReady: () -> Void = {}

    /// The logs that Wardens write, opened before the first client.
    package var logs: TransferLogs?

    /// The process that writes the audit trail, if there is one.
    package var auditor: Auditor?

    /// Checks clients' certificates for the Wardens of later sessions.
    package var certificateCheck: CertificateCheck?

    var bans: Bans<IPAddress>
    var locks: Bans<String>
    var failuresOfUsers: FailureCounts<String>
    var failuresFromAddresses: FailureCounts<IPAddress>
    var refusalBudget = LogBudget()
    var connectionBudget = LogBudget()
    var rates: ConnectionRates
    var isFull = false
    /// Another server is about to take over.
    var leavesSessions = false
    var hasFailedToAccept = false

    /// Opens the control ports.
    ///
    /// - Parameters:
    ///   - settings: Where to listen, and how many clients there may be.
    ///   - authorizers: Who is asked about logins, one after the other.
    ///   - signer: The process that keeps the key.
    ///   - opened: A socket that listens already, in place of the one port.
    ///   - logger: Where lines go.
    /// - Throws: ``ListenerError`` naming the address that could not be listened on.
    package init(
        _ settings: ListenerSettings,
        authorizers: [any Authorizer],
        signer: Signer? = nil,
        adopting opened: consuming OwnedDescriptor? = nil,
        logger: Logger
    ) throws(ListenerError) {
        self.settings = settings
        self.authorizers = authorizers
        self.signer = signer
        hasSigner = signer != nil
        self.logger = logger
        manager = settings.takesInheritedSockets ? ServiceManager.find() : nil
        bans = Bans(settings.bans)
        locks = Bans(settings.userLocks)
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
            census = try Census()
            var sockets: [ListeningBox] = []
            let inherited = settings.takesInheritedSockets ? InheritedSocket.count : 0
            for index in 0..<inherited {
                let socket = try InheritedSocket.take(index)
                let kind = settings.kind(socket.name)
                sockets.append(ListeningBox(socket.takeDescriptor(), kind))
            }
            for port in settings.ports where inherited == 0 {
                if let own = opened.take() {
                    sockets.append(ListeningBox(own, port.kind))
                    continue
                }
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
        freeWardens.retire()
        meter?.noteStart(of: .signer)
    }

    /// Has later sessions be served by other settings; the sockets stay as they are.
    package func use(_ next: ListenerSettings, _ authorizers: [any Authorizer]) {
        freeWardens.retire()
        let changesRoot = settings.warden.changesRoot
        settings = next
        settings.warden.changesRoot = changesRoot
        self.authorizers = authorizers
        counter.setLimits(next.maximumClients, perAddress: next.maximumClientsPerAddress)
        bans.settings = next.bans
        locks.settings = next.userLocks
        failuresOfUsers.period = next.bans.period
        failuresFromAddresses.period = next.bans.period
        rates.maximum = next.maximumConnectionRate
    }

    /// Serves until SIGTERM or SIGINT.
    ///
    /// Idle sessions are then told to go, running transfers may finish within the Wardens' limit,
    /// and a second signal ends them at once. SIGUSR2 ends this process alone: the Wardens see to it
    /// that transfers which run come to their end, however long they take.
    ///
    /// - Parameter body: What each Session runs, in its own process.
    package func run(_ body: (consuming SessionStart) -> Void) {
        DaemonProcess.setName("ftps-listener")
        // Five for each session at most: its reports, the pages that a user's sessions share, its own,
        // and its channel to the Auditor.
        let reserve = settings.warden.proxyNetworks.isEmpty ? 0 : AddressCounter.reserve
        let wanted = UInt64(settings.maximumClients + reserve) * 5 + 64
        let descriptors = setDescriptorLimit(
            settings.maximumClients > 0 ? max(wanted, Self.descriptorCount) : .max
        )
        if settings.maximumClients > 0, descriptors < wanted {
            logger.warning("the limit of open files (\(descriptors)) is low for max_clients")
        }
        for line in authorizers.flatMap({ $0.prepare() }) { logger.warning("\(line)") }
        confine()
        // Every session asks for it sooner or later.
        _ = census.mapServerPage(.logRate)
        auditor?.begin(on: localPorts)
        DaemonProcess.gatherHeap()
        restoreResolver()
        tendDesks()
        manager?.noteReady(statusLine)
        whenReady()
        while wait(until: .never) { acceptClients(body) }
        finish()
    }

    /// Has done once what every Warden and every Agent does, before the first fork.
    ///
    /// - Throws: ``SystemError``. Logins work all the same, at a higher price.
    package func rehearse() throws(SystemError) {
        try WardenRehearsal.run(settings.warden)
    }

    /// How it goes, in one line for the service manager.
    var statusLine: String { "connections: \(counter.processes.count)" }
}
