import Portcullis

/// Serves files that lie in its memory: `InMemoryFileSystem 2121 DIRECTORY CERTIFICATE [threads]`.
///
/// The directory stays as it is; sessions that are processes are confined to it all the same.
@main
struct InMemoryFileSystem {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let port = UInt16(arguments[1]) else {
            throw ServerError("usage: InMemoryFileSystem PORT DIRECTORY CERTIFICATE [threads]")
        }
        let authorizer = DummyAuthorizer()
        try authorizer.addUser("user", password: "12345", home: arguments[2], permissions: .all)
        var settings = FTPHandler.Settings(authorizer: authorizer)
        settings.certificate = arguments[3]
        settings.abstractedFS = MemoryFS.self
        settings.attachment = MemoryStore()
        let server = try FTPServer(
            address: ServerAddress("127.0.0.1", port),
            settings: settings,
            concurrency: arguments.contains("threads") ? .threads : .processes
        )
        server.serveForever()
    }
}
