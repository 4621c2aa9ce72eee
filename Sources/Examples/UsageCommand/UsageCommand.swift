import Portcullis

/// Has a command of its own, SITE USAGE: `UsageCommand 2121 DIRECTORY CERTIFICATE [threads]`.
@main
struct UsageCommand {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let port = UInt16(arguments[1]) else {
            throw ServerError("usage: UsageCommand PORT DIRECTORY CERTIFICATE [threads]")
        }
        let authorizer = DummyAuthorizer()
        try authorizer.addUser("user", password: "12345", home: arguments[2], permissions: .all)
        try authorizer.addAnonymous(home: arguments[2], permissions: "er")

        var settings = FTPHandler.Settings(authorizer: authorizer)
        settings.certificate = arguments[3]
        settings.commands = [
            CustomCommand(
                "SITE USAGE",
                needs: "l",
                argument: .none,
                help: "Tell who is asking.",
                feature: "SITE USAGE"
            ) { handler, _ in
                try handler.respond(
                    200,
                    "\(handler.user ?? "Nobody") is in \(handler.currentDirectory)"
                )
            }
        ]
        let server = try FTPServer(
            address: ServerAddress("127.0.0.1", port),
            settings: settings,
            concurrency: arguments.contains("threads") ? .threads : .processes
        )
        server.serveForever()
    }
}
