import Portcullis

/// Reads its users from a file: `VirtualUsers 2121 FILE CERTIFICATE [threads]`.
///
/// One line for each, `name:hash:home:permissions`; `portcullis passwd FILE USER` adds one.
@main
struct VirtualUsers {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let port = UInt16(arguments[1]) else {
            throw ServerError("usage: VirtualUsers PORT FILE CERTIFICATE [threads]")
        }
        let authorizer = DummyAuthorizer()
        try authorizer.addUsers(file: arguments[2])

        var settings = FTPHandler.Settings(authorizer: authorizer)
        settings.certificate = arguments[3]

        let server = try FTPServer(
            address: ServerAddress("127.0.0.1", port),
            settings: settings,
            concurrency: arguments.contains("threads") ? .threads : .processes
        )
        server.serveForever()
    }
}
