import Logging
import Portcullis
import PortcullisService
import ServiceLifecycle
import UnixSignals

/// Serves beside other services of one program: `EmbeddedInService 2121 DIRECTORY CERTIFICATE`.
///
/// SIGTERM lets transfers finish, SIGINT ends them.
@main
struct EmbeddedInService {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let port = UInt16(arguments[1]) else {
            throw ServerError("usage: EmbeddedInService PORT DIRECTORY CERTIFICATE")
        }
        let authorizer = DummyAuthorizer()
        try authorizer.addUser("user", password: "12345", home: arguments[2], permissions: .all)
        var settings = FTPHandler.Settings(authorizer: authorizer)
        settings.certificate = arguments[3]
        let server = try FTPServer(
            address: ServerAddress("127.0.0.1", port),
            settings: settings,
            concurrency: .threads
        )
        let group = ServiceGroup(
            services: [try FTPService(server)],
            gracefulShutdownSignals: [.sigterm],
            cancellationSignals: [.sigint],
            logger: Logger(label: "example")
        )
        try await group.run()
    }
}
