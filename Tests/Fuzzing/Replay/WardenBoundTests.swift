import FTPProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import Authentication
@testable import FileSystem
@testable import Isolation

@Suite("What a Warden bounds for a whole session")
struct WardenBoundTests {
    /// Runs a Warden in a thread of this process, and lends its Session's end of the channel.
    private func withWarden(
        _ settings: WardenSettings,
        _ body: (borrowing MessageSocket) throws -> Void
    ) throws {
        let (listener, census) = try TestListener.start()
        let ends = try Ends.make()
        let far = Holder(try ends.far.descriptor.duplicate())
        let channel = ends.takeNear()
        let companion = try Companion {
            guard let channel = far.take(), let census = census.take() else { return }
            let warden = TestWarden(
                MessageSocket(owning: channel),
                MessageSocket(owning: census),
                settings,
                TestUsers(),
                TestLog()
            )
            warden.serve()
            warden.endLogin()
        }
        let outcome = Result { try body(channel) }
        channel.descriptor.endWriting()
        companion.join()
        listener.join()
        try outcome.get()
    }

    private func ask(
        _ request: WardenRequest,
        _ channel: borrowing MessageSocket
    ) throws -> WardenReply {
        try channel.send(request.encoded)
        guard let message = try channel.receive() else { throw Missing() }
        return try WardenReply(decoding: message.bytes)
    }

    @Test func namesAreToldNoOftenerToWhoLogsInAgain() throws {
        var settings = TestWarden.settings()
        settings.profile = { account throws(LoginRefusal) in
            var profile = LoginProfile(root: account.home, rules: FileRules(permissions: .all))
            profile.namesAccounts = true
            return profile
        }
        var told = 0
        try withWarden(settings) { channel in
            for _ in 0..<3 {
                let password = Secret(copying: Array("right".utf8))
                let attempt = LoginAttempt(user: "a", password: password, isClear: false)
                guard case .granted = try ask(.authenticate(attempt), channel) else {
                    throw Missing()
                }
                for _ in 0..<1_500 {
                    let answer = try ask(.accountName(.user(0)), channel)
                    if answer == .accountName("root") { told += 1 }
                }
                #expect(try ask(.endLogin, channel) == .loginEnded)
            }
        }
        #expect(told == AccountNumber.maximumQuestionCount)
    }
}
