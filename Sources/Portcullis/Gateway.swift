internal import Authentication
package import Isolation
package import LinuxSystem
package import Logging
internal import TLS

/// The daemon's server: what the configuration file describes, with a ``TLS_FTPHandler`` for every
/// client.
package final class Gateway {
    let listener: Listener
    let logger: Logger
    let demonstration: DemonstrationAccount?
    var report: ConfigurationReport
    var settings: HandlerSettings { didSet { sharedSettings = SharedSettings(settings) } }
    private var sharedSettings: SharedSettings
    let start = secondsSinceEpoch()
    var certificateExpiries: [ServerStatus.Certificate]
    var lastReload: Int64 = 0
    var hasReloaded = false

    /// Reads the configuration anew, but for options that stay as they are, and says which of those
    /// were changed; `nil` where that cannot be done.
    package var reread:
        ((_ fixed: Set<String>, ConfigurationReport) -> (ConfigurationReport, waiting: [String]))?

    /// Prepares a server: reads the certificate, opens the ports.
    ///
    /// - Parameters:
    ///   - report: A configuration without problems.
    ///   - demonstration: An account that exists in this server alone.
    ///   - logger: Where lines for people go.
    /// - Throws: ``ServerError`` with one line for the administrator.
    package init(
        _ report: ConfigurationReport,
        demonstration: DemonstrationAccount? = nil,
        logger: Logger
    ) throws(ServerError) {
        // What every session uses is made from here on: counted by whoever holds it, it is copied with
        // the pages where it lies.
        DaemonProcess.gatherHeap()
        let configuration = report.configuration
        self.report = report
        self.logger = logger
        self.demonstration = demonstration
        loadTimeZone()
        if try Self.useFIPSModule(report) { logger.notice("OpenSSL's FIPS module is in use") }
        try Self.checkSockets(report)
        // First, so that the process which keeps the keys is the only one that ever sees them.
        let certificates = try ServerCertificates(report)
        let signer = try Self.startSigner(certificates, report)
        let logs = try Self.openLogs(report)
        let auditor = try Self.openAudit(report, logger)
        let authorizers = try Self.makeAuthorizers(report, demonstration)
        let address = try Self.resolvePassiveAddress(report)
        if let remark = configuration.passive.remark(onResolved: address) {
            logger.warning("\(remark)")
        }
        settings = HandlerSettings(
            configuration: configuration,
            tls: try Self.makeContext(certificates, report),
            advertisedAddress: address,
            hasUsersOfItsOwn: Self.hasUsersOfItsOwn(authorizers),
            logLevel: logger.logLevel
        )
        sharedSettings = SharedSettings(settings)
        certificateExpiries = Self.expiries(of: certificates)
        var listening = try Self.makeListenerSettings(report)
        listening.announce(address, configuration.passive)
        do throws(ListenerError) {
            listener = try Listener(
                listening,
                authorizers: authorizers,
                signer: signer,
                logger: logger
            )
        } catch {
            throw ServerError("\(error)")
        }
        listener.certificateCheck = Self.certificateCheck(settings.tls)
        listener.logs = logs
        listener.auditor = auditor
        listener.admin = try Self.openAdminDesk(report)
        listener.metrics = try Self.openMetricsDesk(report)
    }

    /// Looks for everything that would keep a server from starting, without opening a port.
    ///
    /// - Returns: What else there is to say.
    /// - Throws: ``ServerError`` with one line for the administrator.
    package static func check(_ report: ConfigurationReport) throws(ServerError) -> [String] {
        _ = try useFIPSModule(report)
        let certificates = try ServerCertificates(report)
        try checkKeys(certificates, report)
        _ = try makeContext(certificates, report)
        let address = try resolvePassiveAddress(report)
        _ = try makeListenerSettings(report)
        _ = try makeAuthorizers(report, nil)
        try checkLogs(report)
        try checkAudit(report)
        try checkAdmin(report)
        return [report.configuration.passive.remark(onResolved: address)].compactMap(\.self)
    }

    /// Where Prometheus asks.
    package var metricsAddress: SocketAddress? { listener.metrics?.address }

    /// Where clients are accepted.
    package var localPorts: [ControlPort] { listener.localPorts }

    /// Serves until SIGTERM or SIGINT.
    ///
    /// - Parameter whenReady: Called once clients are about to be accepted, with all other processes
    ///   started.
    package func serveForever(whenReady: @escaping () -> Void) {
        listener.whenReady = whenReady
        listener.reload = { [unowned self] isAsked in reload(isAsked: isAsked) }
        listener.status = { [unowned self] in status() }
        listener.meter?.note(start: start)
        listener.meter?.note(expiries: certificateExpiries.map(\.expiry))
        DaemonProcess.useHugeText()
        DaemonProcess.gatherHeap()
        rehearse()
        TLSRehearsal.settle()
        listener.run { start in
            guard var start = ProxyReception.complete(start, greeting: settings.greeting) else {
                return
            }
            if let channel = start.takeSigner() { RemoteSigner.use(channel) }
            let handler = TLS_FTPHandler(FTPSession(start, sharedSettings))
            withExtendedLifetime(handler) {
                handler.run()
                // Nothing is given back piece by piece that goes with the process at once.
                DaemonProcess.exit(0)
            }
        }
    }

    /// Has done once what every session does, before the first fork.
    private func rehearse() {
        let tls = report.configuration.tls
        do {
            if tls.isEnabled { try TLSRehearsal.run(Self.makePolicy(tls)) }
            if let context = settings.tls { try TLSRehearsal.run(context) }
            try SessionRehearsal.run(settings)
            try listener.rehearse()
        } catch {
            logger.warning("sessions will start more slowly: rehearsal: \(error)")
        }
    }
}
