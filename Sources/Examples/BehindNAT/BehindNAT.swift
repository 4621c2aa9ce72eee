import Portcullis

/// Serves behind a NAT: `BehindNAT 2121 DIRECTORY CERTIFICATE [threads]`.
///
/// The router passes the port and the passive ones on. PASV announces the address that the world
/// knows, but not to clients of the inner network; EPSV works without.
@main
struct BehindNAT {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let port = UInt16(arguments[1]) else {
            throw ServerError("usage: BehindNAT PORT DIRECTORY CERTIFICATE [threads]")
        }
        let authorizer = DummyAuthorizer()
        try authorizer.addUser("user", password: "12345", home: arguments[2], permissions: .all)

        var settings = FTPHandler.Settings(authorizer: authorizer)
        settings.certificate = arguments[3]
        settings.passivePorts = 60_000...60_999
        settings.masqueradeAddress = "203.0.113.5"
        settings.masqueradeAddressMap = ["127.0.0.2": "127.0.0.2"]
        settings.allowsActiveMode = false

        let server = try FTPServer(
            address: ServerAddress("0.0.0.0", port),
            settings: settings,
            concurrency: arguments.contains("threads") ? .threads : .processes
        )
        server.serveForever()
    }
}
