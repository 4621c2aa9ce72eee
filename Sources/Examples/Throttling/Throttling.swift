import Portcullis

/// Moves no more than so many bytes a second: `Throttling 2121 DIRECTORY CERTIFICATE [threads]`.
@main
struct Throttling {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let port = UInt16(arguments[1]) else {
            throw ServerError("usage: Throttling PORT DIRECTORY CERTIFICATE [threads]")
        }
        let authorizer = DummyAuthorizer()
        try authorizer.addUser("user", password: "12345", home: arguments[2], permissions: .all)

        var settings = FTPHandler.Settings(authorizer: authorizer)
        settings.certificate = arguments[3]
        // Each session by itself, with TLS or without.
        settings.writeLimit = 200_000
        settings.dtpHandler = Slow.self

        let server = try FTPServer(
            address: ServerAddress("127.0.0.1", port),
            settings: settings,
            concurrency: arguments.contains("threads") ? .threads : .processes
        )
        server.serveForever()
    }
}

/// What holds for a kind of transfer stands with its handler; the lower limit counts.
final class Slow: ThrottledDTPHandler {
    override class var readLimit: Int { 300_000 }
    override class var writeLimit: Int { 2_000_000 }
}
