import Portcullis

/// Writes down what clients do: `HookedServer 2121 DIRECTORY CERTIFICATE [threads]`.
@main
struct HookedServer {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let port = UInt16(arguments[1]) else {
            throw ServerError("usage: HookedServer PORT DIRECTORY CERTIFICATE [threads]")
        }
        let authorizer = DummyAuthorizer()
        try authorizer.addUser("user", password: "12345", home: arguments[2], permissions: .all)
        var settings = FTPHandler.Settings(authorizer: authorizer)
        settings.certificate = arguments[3]
        settings.authFailedTimeout = .milliseconds(100)
        let server = try FTPServer(
            address: ServerAddress("127.0.0.1", port),
            handler: Witness.self,
            settings: settings,
            concurrency: arguments.contains("threads") ? .threads : .processes
        )
        server.serveForever()
    }
}

final class Witness: TLS_FTPHandler {
    override func onConnect() { log("hook: connected from \(remoteIP)") }
    override func onDisconnect() { log("hook: disconnected") }
    override func onLogin(user: String) { log("hook: \(user) is in, TLS \(isSecure)") }
    override func onLoginFailed(user: String) { log("hook: \(user) is not in") }
    override func onLogout(user: String) { log("hook: \(user) is out") }
    override func onFileSent(_ file: TransferredFile) { note("sent", file) }
    override func onFileReceived(_ file: TransferredFile) { note("received", file) }
    override func onIncompleteFileSent(_ file: TransferredFile) { note("part sent", file) }
    override func onIncompleteFileReceived(_ file: TransferredFile) { note("part of", file) }
    private func note(_ what: String, _ file: TransferredFile) { log("hook: \(what) \(file.path)") }
}
