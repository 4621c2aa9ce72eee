import Authentication
import FTPProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import Isolation

@Suite("A Session and what its Warden says")
struct WardenClientTests {
    /// A Warden that has given its answers in advance.
    private final class Script {
        let client: WardenClient
        private let warden: MessageSocket

        init(_ answers: [WardenReply]) throws {
            let ends = try Ends.make()
            for answer in answers { try ends.far.send(answer.encoded) }
            ends.far.descriptor.endWriting()
            warden = MessageSocket(owning: try ends.far.descriptor.duplicate())
            client = WardenClient(MessageSocket(owning: try ends.near.descriptor.duplicate()))
        }

        init(passing answer: WardenReply) throws {
            let ends = try Ends.make()
            try ends.far.send(answer.encoded, with: ends.far.descriptor)
            warden = MessageSocket(owning: try ends.far.descriptor.duplicate())
            client = WardenClient(MessageSocket(owning: try ends.near.descriptor.duplicate()))
        }

        /// The next request that the Warden received.
        func request() throws -> WardenRequest {
            let message = try present(warden.receive())
            return try WardenRequest(decoding: message.bytes)
        }
    }

    /// How a login went, in a form that can be compared.
    private func login(_ client: WardenClient) throws -> String {
        switch try client.authenticate(
            user: "demo",
            password: Secret(copying: "word".utf8),
            isClear: false,
            limit: .seconds(20)
        ) {
        case .granted(let grant): "granted \(grant.terms.permissions.letters)"
        case .refused(let notice, let isLast): "refused \(notice) \(isLast)"
        case .needsAccount: "needs account"
        case .needsPassword: "needs password"
        case .timedOut: "timed out"
        }
    }

    private func describe(_ outcome: consuming DataSocketOutcome) -> String {
        switch consume outcome {
        case .socket(_, let port, _): "socket \(port)"
        case .failed(let failure): "failed \(failure)"
        }
    }

    @Test func aLoginThatIsGrantedBringsTheAgent() throws {
        let script = try Script(passing: .granted(terms(.readOnly)))
        #expect(try login(script.client) == "granted elr")
        guard case .authenticate(let attempt) = try script.request() else {
            Issue.record("not a login")
            return
        }
        let password = unsafe attempt.password.withBytes { unsafe [UInt8]($0) }
        #expect(attempt.user == "demo" && password == bytes("word"))
    }

    @Test(arguments: [true, false])
    func aLoginThatIsRefusedSaysWhetherItWasTheLast(isLast: Bool) throws {
        let script = try Script([.refused(.passwordExpired, isLast: isLast)])
        #expect(try login(script.client) == "refused passwordExpired \(isLast)")
    }

    @Test func aGrantWithoutAnAgentIsNone() throws {
        let script = try Script([.granted(terms(.all))])
        #expect(thrown { _ = try login(script.client) } == WardenGone())
    }

    @Test func dataSocketsComeWithTheirPorts() throws {
        let passive = try Script(passing: .listening(port: 50_000))
        #expect(try describe(passive.client.listenForData {}) == "socket 50000")
        let active = try Script(passing: .connecting)
        let remote = SocketAddress(loopback(), port: 4_321)
        #expect(try describe(active.client.connectForData(to: remote)) == "socket 4321")
        guard case .connectForData(loopback(), port: 4_321) = try active.request() else {
            Issue.record("not a connection")
            return
        }
    }

    @Test func thereIsTimeForWorkWhileADataSocketIsMade() throws {
        let script = try Script(passing: .listening(port: 50_000))
        var request: WardenRequest?
        let outcome = try describe(
            script.client.listenForData {
                do {
                    request = try script.request()
                } catch {
                    Issue.record(error)
                }
            }
        )
        #expect(outcome == "socket 50000")
        guard case .listenForData = request else {
            Issue.record("not asked for before the work")
            return
        }
    }

    @Test func failuresOfDataSocketsAreHandedOn() throws {
        for failure in [.rangeExhausted, .forbidden, .failed] as [DataSocketFailure] {
            let script = try Script([.noDataSocket(failure), .noDataSocket(failure)])
            #expect(try describe(script.client.listenForData {}) == "failed \(failure)")
            let remote = SocketAddress(loopback(), port: 1)
            #expect(try describe(script.client.connectForData(to: remote)) == "failed \(failure)")
        }
    }

    @Test func anAnswerToAnotherQuestionEndsTheSession() throws {
        #expect(throws: WardenGone()) { try Script([.connecting]).client.endLogin() }
        #expect(thrown { _ = try login(Script([.loginEnded]).client) } == WardenGone())
        let wrong = try Script([.refused(.incorrect, isLast: false)])
        #expect(thrown { _ = try describe(wrong.client.listenForData {}) } == WardenGone())
        #expect(thrown { try Script([]).client.endLogin() } == WardenGone())
    }

    @Test func theWishToFinishIsHeardBetweenAnswers() throws {
        let script = try Script([.finish(.serverEnds), .loginEnded])
        #expect(script.client.finishReason == nil)
        try script.client.endLogin()
        #expect(script.client.finishReason == .serverEnds)
    }

    @Test func theWishToFinishIsHeardUnasked() throws {
        let script = try Script([.finish(.makesRoom)])
        try script.client.takeNotice()
        #expect(script.client.finishReason == .makesRoom)
        #expect(thrown { try Script([.loginEnded]).client.takeNotice() } == WardenGone())
        #expect(thrown { try Script([]).client.takeNotice() } == WardenGone())
    }

    @Test(arguments: ["x", "ü", "€", "\u{1F512}"])
    func aLongLogLineIsCutToWhatTheWardenTakes(character: String) throws {
        // The level of a line that was read, so that this file need not name one.
        guard case .log(let level, _) = try WardenRequest(decoding: [5, 2, 0, 0, 0, 0]) else {
            throw Missing()
        }
        let script = try Script([])
        for excess in 0..<4 {
            let prefix = String(repeating: "a", count: excess)
            script.client.log(level, prefix + String(repeating: character, count: 5_000))
            guard case .log(level, let text) = try script.request() else { throw Missing() }
            #expect(text.hasPrefix(prefix + character))
            #expect((4_000...WardenRequest.maximumLogByteCount).contains(text.utf8.count))
        }
    }
}
