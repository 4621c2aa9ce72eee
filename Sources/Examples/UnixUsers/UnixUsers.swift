import Portcullis

/// Lets the system's users in, through PAM: `UnixUsers 2121 SERVICES CERTIFICATE [threads]`.
///
/// SERVICES is a directory with a service file `portcullis`, such as pam.d of this project. Run it as
/// root: each session works as the user who has logged in.
@main
struct UnixUsers {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let port = UInt16(arguments[1]) else {
            throw ServerError("usage: UnixUsers PORT SERVICES CERTIFICATE [threads]")
        }
        let authorizer = UnixAuthorizer(
            rejectedUsers: ["games"],
            requireValidShell: false,
            serviceDirectory: arguments[2]
        )
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
