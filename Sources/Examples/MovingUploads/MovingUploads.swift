import Glibc
import Portcullis

/// Looks at uploads and moves them: `MovingUploads 2121 DIRECTORY CERTIFICATE ACCOUNT [threads]`.
///
/// The clients do not wait for it. As root, sessions that are processes leave it to ACCOUNT.
@main
struct MovingUploads {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 5, let port = UInt16(arguments[1]) else {
            throw ServerError("usage: MovingUploads PORT DIRECTORY CERTIFICATE ACCOUNT [threads]")
        }
        let authorizer = DummyAuthorizer()
        try authorizer.addUser("user", password: "12345", home: arguments[2], permissions: .all)
        var settings = FTPHandler.Settings(authorizer: authorizer)
        settings.certificate = arguments[3]
        settings.events = EventQueue(account: arguments[4]) { event in
            guard event.kind == .fileReceived else { return }
            // In place of a scanner, which takes its time.
            usleep(300_000)
            _ = unsafe rename(event.realPath, event.realPath + ".scanned")
        }
        let server = try FTPServer(
            address: ServerAddress("127.0.0.1", port),
            settings: settings,
            concurrency: arguments.contains("threads") ? .threads : .processes
        )
        server.serveForever()
    }
}
