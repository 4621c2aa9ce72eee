internal import Authentication
internal import Isolation
package import LinuxSystem
package import Logging
internal import TLS

/// The gateway: listens, and runs a ``TLS_FTPHandler`` for every client.
package final class FTPServer {
    private let listener: Listener
    private let settings: HandlerSettings

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
        loadTimeZone()
        settings = HandlerSettings(
            configuration: configuration,
            tls: try Self.makeContext(report),
            advertisedAddress: try Self.resolvePassiveAddress(report),
            logLevel: logger.logLevel
        )
        let listening = try Self.makeListenerSettings(report)
        let authorizers = try Self.makeAuthorizers(report, demonstration)
        do throws(ListenerError) {
            listener = try Listener(listening, authorizers: authorizers, logger: logger)
        } catch {
            throw ServerError("\(error)")
        }
    }

    /// Looks for everything that would keep a server from starting, without opening a port.
    ///
    /// - Throws: ``ServerError`` with one line for the administrator.
    package static func check(_ report: ConfigurationReport) throws(ServerError) {
        _ = try makeContext(report)
        _ = try resolvePassiveAddress(report)
        _ = try makeListenerSettings(report)
        _ = try makeAuthorizers(report, nil)
    }

    /// Where clients are accepted.
    package var localAddresses: [SocketAddress] { listener.localAddresses }

    /// Serves until SIGTERM or SIGINT.
    package func serveForever() {
        let settings = settings
        listener.run { start in
            let handler = TLS_FTPHandler(start, settings)
            handler.run()
        }
    }
}
