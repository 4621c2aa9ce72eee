import Portcullis
import Testing

@Suite("Servers inside a program that has threads")
struct EmbeddedServerTests {
    /// A server of sessions that are threads, and the thread that it serves on.
    private func serve(
        _ handler: FTPHandler.Type = FTPHandler.self,
        maximumConnections: Int = 512,
        change: (inout FTPHandler.Settings) -> Void = { _ in }
    ) throws -> ServingServer {
        var settings = FTPHandler.Settings(authorizer: try oneUser())
        settings.tlsControlRequired = false
        settings.tlsDataRequired = false
        settings.authFailedTimeout = .milliseconds(10)
        change(&settings)
        return try ServingServer(
            FTPServer(
                address: ServerAddress("127.0.0.1", 0),
                handler: handler,
                settings: settings,
                concurrency: .threads,
                maximumConnections: maximumConnections,
                shutdownTimeout: .seconds(5)
            )
        )
    }

    private func oneUser() throws -> DummyAuthorizer {
        let authorizer = DummyAuthorizer()
        try authorizer.addUser("user", password: "12345", home: "/tmp")
        return authorizer
    }

    @Test func stopsWhileClientsIdle() throws {
        let serving = try serve()
        let client = try LineClient(serving.server.address.port)
        #expect(client.line() == "220 FTP server ready.")
        #expect(client.command("USER user")?.hasPrefix("331") == true)
        #expect(client.command("PASS 12345") == "230 Login successful.")
        serving.server.stop()
        #expect(client.line()?.hasPrefix("421") == true)
        #expect(client.line() == nil)
        #expect(serving.hasEnded(within: .seconds(5)))
    }

    @Test func aSecondServerIsAnotherOne() throws {
        let first = try serve { $0.banner = "first" }
        let second = try serve { $0.banner = "second" }
        let one = try LineClient(first.server.address.port)
        let other = try LineClient(second.server.address.port)
        #expect(one.line() == "220 first")
        #expect(other.line() == "220 second")
        first.server.closeAll()
        #expect(first.hasEnded(within: .seconds(5)))
        #expect(one.line()?.hasPrefix("421") == true)
        #expect(other.command("NOOP") == "200 NOOP ok.")
        second.server.closeAll()
        #expect(second.hasEnded(within: .seconds(5)))
    }

    @Test func timersAreCalledOnTheThreadThatServes() throws {
        let serving = try serve()
        let called = Flag()
        let never = Flag()
        let timer = serving.server.callLater(after: .milliseconds(40)) { never.raise() }
        timer.cancel()
        serving.server.callLater(after: .milliseconds(20)) { called.raise() }
        let server = serving.server
        serving.server.callLater(after: .milliseconds(80)) { server.stop() }
        #expect(serving.hasEnded(within: .seconds(5)))
        #expect(called.isRaised)
        #expect(!never.isRaised)
    }

    @Test func whoFindsNoRoomIsToldInTheHandlersWords() throws {
        let serving = try serve(Crowded.self, maximumConnections: 1)
        let first = try LineClient(serving.server.address.port)
        #expect(first.line()?.hasPrefix("220") == true)
        let second = try LineClient(serving.server.address.port)
        #expect(second.line() == "421 Everybody is here already.")
        #expect(second.line() == nil)
        serving.server.closeAll()
        #expect(serving.hasEnded(within: .seconds(5)))
    }

    @Test func aHandlerMayTurnAClientAwayAndAnswerInItsOwnWay() throws {
        let serving = try serve(Strict.self)
        let client = try LineClient(serving.server.address.port)
        #expect(client.line()?.hasPrefix("220") == true)
        #expect(client.command("NOOP") == "200 Nothing was done, with care.")
        #expect(client.command("SYST") == "215 UNIX Type: L8")
        #expect(client.command("QUIT")?.hasPrefix("221") == true)
        let other = try LineClient(serving.server.address.port)
        #expect(other.line()?.hasPrefix("220") == true)
        // Asked for by a timer of the session.
        #expect(other.line() == nil)
        serving.server.closeAll()
        #expect(serving.hasEnded(within: .seconds(5)))
    }

    @Test func whoSendsNothingIsSentAway() throws {
        let serving = try serve { $0.loginTimeout = .milliseconds(50) }
        let client = try LineClient(serving.server.address.port)
        #expect(client.line()?.hasPrefix("220") == true)
        #expect(client.line() == "421 Timeout.")
        #expect(client.line() == nil)
        serving.server.closeAll()
        #expect(serving.hasEnded(within: .seconds(5)))
    }

    @Test func usersComeAndGoWhileTheServerServes() throws {
        let users = try oneUser()
        let serving = try serve { $0.authorizer = users }
        let client = try LineClient(serving.server.address.port)
        #expect(client.line()?.hasPrefix("220") == true)
        users.removeUser("user")
        #expect(client.command("USER user")?.hasPrefix("331") == true)
        #expect(client.command("PASS 12345") == "530 Login incorrect.")
        try users.addUser("user", password: "54321", home: "/tmp")
        #expect(client.command("USER user")?.hasPrefix("331") == true)
        #expect(client.command("PASS 54321")?.hasPrefix("230") == true)
        serving.server.closeAll()
        #expect(serving.hasEnded(within: .seconds(5)))
    }

    @Test func aPortThatIsTakenIsNamed() throws {
        let serving = try serve()
        let error = #expect(throws: ServerError.self) {
            try FTPServer(
                address: serving.server.address,
                handler: FTPHandler.self,
                settings: FTPHandler.Settings(authorizer: oneUser()),
                concurrency: .threads
            )
        }
        #expect(error?.description.contains("another program listens there") == true)
        serving.server.closeAll()
        #expect(serving.hasEnded(within: .seconds(5)))
    }

    @Test func tlsNeedsACertificate() throws {
        let error = #expect(throws: ServerError.self) {
            try FTPServer(
                address: ServerAddress("127.0.0.1", 0),
                settings: FTPHandler.Settings(authorizer: oneUser()),
                concurrency: .threads
            )
        }
        #expect(error?.description.contains("TLS_FTPHandler needs one") == true)
    }

    @Test(arguments: ["SITE HELP", "NOOP", "X Y", "", "TOOLONGFORACOMMANDNAME"])
    func commandsThatCannotBeAreRefused(name: String) throws {
        var settings = FTPHandler.Settings(authorizer: try oneUser())
        settings.commands = [CustomCommand(name, help: "") { _, _ in }]
        #expect(throws: ServerError.self) {
            try FTPServer(
                address: ServerAddress("127.0.0.1", 0),
                handler: FTPHandler.self,
                settings: settings,
                concurrency: .threads
            )
        }
    }
}

private final class Crowded: FTPHandler {
    override class func handleMaxConnections() -> String { "Everybody is here already." }
}

private final class Strict: FTPHandler {
    override func onConnect() {
        callLater(after: .milliseconds(200)) { [unowned self] in close() }
    }

    override func processCommand(_ command: FTPCommand) throws(SessionEnd) {
        guard command.verb == "NOOP" else { return try super.processCommand(command) }
        try respond(200, "Nothing was done, with care.")
    }
}
