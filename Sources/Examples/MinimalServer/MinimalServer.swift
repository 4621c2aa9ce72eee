import Portcullis

/// Serves one user and everybody else over TLS: `MinimalServer 2121 DIRECTORY CERTIFICATE [threads]`.
@main
struct MinimalServer {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let port = UInt16(arguments[1]) else {
            throw ServerError("usage: MinimalServer PORT DIRECTORY CERTIFICATE [threads]")
        }
        let authorizer = DummyAuthorizer()
        try authorizer.addUser(
            "user",
            password: "12345",
            home: arguments[2],
            permissions: "elradfmwMT"
        )
        try authorizer.addAnonymous(home: arguments[2])

        var settings = FTPHandler.Settings(authorizer: authorizer)
        settings.certificate = arguments[3]

        let server = try FTPServer(
            address: ServerAddress("127.0.0.1", port),
            handler: TLS_FTPHandler.self,
            settings: settings,
            concurrency: arguments.contains("threads") ? .threads : .processes
        )
        server.serveForever()
    }
}
