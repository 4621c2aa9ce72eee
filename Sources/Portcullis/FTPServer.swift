internal import Authentication
package import Isolation
internal import LinuxSystem
package import Logging
internal import TLS

/// The gateway: listens, and runs a ``TLS_FTPHandler`` for every client.
package final class FTPServer {
    private let listener: Listener
    private let report: ConfigurationReport
    private let logger: Logger
    private var settings: HandlerSettings

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
        let configuration = report.configuration
        self.report = report
        self.logger = logger
        loadTimeZone()
        if try Self.useFIPSModule(report) { logger.notice("OpenSSL's FIPS module is in use") }
        try Self.checkSockets(report)
        // First, so that the process which keeps the keys is the only one that ever sees them.
        let certificates = try ServerCertificates(report)
        let signer = try Self.startSigner(certificates, report)
        let logs = try Self.openLogs(report)
        let authorizers = try Self.makeAuthorizers(report, demonstration)
        let address = try Self.resolvePassiveAddress(report)
        if let remark = configuration.passive.remark(onResolved: address) {
            logger.warning("\(remark)")
        }
        settings = HandlerSettings(
            configuration: configuration,
            tls: try Self.makeContext(certificates, report),
            advertisedAddress: address,
            hasUsersOfItsOwn: authorizers.contains {
                !($0 is UnixAuthorizer) && !($0 is AnonymousAuthorizer)
            },
            logLevel: logger.logLevel
        )
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
        return [report.configuration.passive.remark(onResolved: address)].compactMap(\.self)
    }

    /// Where clients are accepted.
    package var localPorts: [ControlPort] { listener.localPorts }

    /// Serves until SIGTERM or SIGINT.
    package func serveForever() {
        listener.reload = { [unowned self] in reload() }
        listener.run { start in
            guard var start = ProxyReception.complete(start, greeting: settings.greeting) else {
                return
            }
            if let channel = start.takeSigner() { RemoteSigner.use(channel) }
            let handler = TLS_FTPHandler(start, settings)
            handler.run()
        }
    }

    /// Reads the certificates and keys anew, for later sessions.
    private func reload() {
        do throws(ServerError) {
            let certificates = try ServerCertificates(report)
            let before = certificates.fingerprint
            let signer = try Self.startSigner(certificates, report)
            let context = try Self.makeContext(certificates, report)
            // The Signer has read keys for the one and this process the other.
            guard certificates.fingerprint == before else {
                throw ServerError(
                    "certificate files changed while they were read; send SIGHUP again"
                )
            }
            if let signer { listener.use(signer) }
            settings.tls = context
            listener.certificateCheck = Self.certificateCheck(context)
            for problem in certificates.responseProblems { logger.warning("\(problem)") }
            logger.notice("certificates loaded")
        } catch {
            let rest = listener.canSign ? "the old ones stay" : "and nothing can be signed"
            logger.error("certificates not loaded, \(rest): \(error)")
        }
    }
}
