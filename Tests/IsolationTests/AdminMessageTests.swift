import FTPProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import Isolation

@Suite("What is said over the admin socket")
struct AdminMessageTests {
    private static let requests: [AdminRequest] = [
        .sessions(after: 0), .sessions(after: .max), .kick(.session("abc"), user: 0),
        .kick(.user("é"), user: 7), .kick(.network(network("10.0.0.0/8")), user: .max),
        .kick(.network(network("2001:db8::/32")), user: 1), .reload(user: 9),
        .unlock(.user("é"), user: 7), .unlock(.network(network("10.0.0.0/8")), user: .max), .status,
        .page(5),
    ]

    private static let answers: [AdminAnswer] = [
        .sessions([], isLast: true), .sessions([session], isLast: false), .kicked(0),
        .kicked(.max), .unlocked(0), .unlocked(.max), .reloaded(isDone: true, []),
        .reloaded(isDone: false, ["one", "two"]),
        .status(ServerStatus()), .status(status), .page, .noPage, .refused(.forbidden),
        .refused(.notUnderstood),
    ]

    private static func network(_ text: String) -> IPNetwork {
        guard let network = IPNetwork(text) else { preconditionFailure("no network: \(text)") }
        return network
    }

    private static let session: LiveSession = {
        var claim = SessionClaim()
        claim.command = "RETR"
        claim.path = "/a b"
        claim.tls = "TLSv1.3 X"
        claim.byteCount = 5
        claim.expectedByteCount = 10
        claim.transferMilliseconds = 1
        claim.idleMilliseconds = 2
        return LiveSession(
            process: 1,
            identifier: "abcdefgh",
            address: .v4(7),
            user: "a",
            connected: 3,
            since: 4,
            isLeaving: true,
            claim: claim
        )
    }()

    private static let status: ServerStatus = {
        var status = ServerStatus()
        status.version = "1"
        status.since = 2
        status.listening = ["127.0.0.1:21"]
        status.loggedIn = 3
        status.beforeLogin = 4
        status.leaving = 5
        status.limits = ["max_clients=6"]
        status.processes = [.init(name: "ftps-listener", number: 7)]
        status.certificates = [.init(file: "/c", expiry: 8)]
        status.lastReload = 9
        status.hasReloaded = true
        return status
    }()

    @Test(arguments: requests)
    func whatIsAskedIsRead(request: AdminRequest) throws {
        #expect(try AdminRequest(decoding: request.encoded) == request)
    }

    @Test(arguments: answers)
    func whatIsAnsweredIsRead(answer: AdminAnswer) throws {
        #expect(try AdminAnswer(decoding: answer.encoded) == answer)
    }

    @Test func everyCutAndEveryByteTooManyIsRefused() {
        for request in Self.requests {
            for count in 0..<request.encoded.count {
                #expect(throws: MessageError.self) {
                    try AdminRequest(decoding: [UInt8](request.encoded.prefix(count)))
                }
            }
            #expect(throws: MessageError.trailingBytes(count: 1)) {
                try AdminRequest(decoding: request.encoded + [0])
            }
        }
        for answer in Self.answers {
            for count in 0..<answer.encoded.count {
                #expect(throws: MessageError.truncated) {
                    try AdminAnswer(decoding: [UInt8](answer.encoded.prefix(count)))
                }
            }
        }
    }

    @Test func otherVersionsAndUnknownWordsAreRefused() {
        #expect(throws: MessageError.outOfTurn) { try AdminRequest(decoding: [4, 2]) }
        for tag in 0...UInt8.max where !(1...6).contains(tag) {
            #expect(throws: MessageError.unknownTag(tag)) {
                try AdminRequest(decoding: [tag, 1])
            }
        }
        for tag in 0...UInt8.max where !(1...8).contains(tag) {
            #expect(throws: MessageError.unknownTag(tag)) { try AdminAnswer(decoding: [tag]) }
        }
    }

    @Test func asManySessionsAsAreToldFitIntoAMessageWhateverTheySay() throws {
        var session = Self.session
        session.user = String(repeating: "u", count: 256)
        session.identifier = String(repeating: "i", count: 32)
        let worst = String(repeating: "\u{FFFD}", count: SessionClaim.maximumPathByteCount)
        session.claim?.path = worst
        session.claim?.tls = String(worst.prefix(SessionClaim.maximumTLSByteCount))
        session.claim?.command = String(worst.prefix(SessionClaim.maximumCommandByteCount))
        let many = [LiveSession](repeating: session, count: 40)
        let message = AdminAnswer.sessions(many, isLast: false).encoded
        #expect(message.count <= MessageSocket.maximumByteCount)
        guard case .sessions(let read, _) = try AdminAnswer(decoding: message) else {
            Issue.record("another answer")
            return
        }
        #expect(read == [LiveSession](many.prefix(AdminAnswer.maximumSessionCount)))
    }

    @Test func linesAndTextsThatAreTooLongAreCut() throws {
        let line = String(repeating: "é", count: 1_000)
        let message = AdminAnswer.reloaded(
            isDone: true,
            [String](repeating: line, count: 300)
        ).encoded
        #expect(message.count <= MessageSocket.maximumByteCount)
        guard case .reloaded(_, let lines) = try AdminAnswer(decoding: message) else {
            Issue.record("another answer")
            return
        }
        #expect(lines.count == AdminAnswer.maximumLineCount)
        let half = AdminAnswer.maximumLineByteCount / 2
        #expect(lines.allSatisfy { $0 == String(repeating: "é", count: half) })
        #expect(AdminAnswer.reloaded(isDone: true, lines).encoded == message)
    }
}

@Suite("What a session writes about itself")
struct SessionBoardTests {
    @Test func isReadAsItWasWritten() throws {
        let page = try SharedPage(mapping: SharedPage.make())
        #expect(SessionClaim.read(page) == SessionClaim())
        let board = SessionBoard(on: page)
        board.note(tls: "TLSv1.3 TLS_AES_256_GCM_SHA384")
        board.note(command: "STOR")
        board.beginTransfer(of: "/ä/datei", byteCount: 12)
        board.note(byteCount: 5)
        var claim = SessionClaim.read(page)
        #expect(claim.tls == "TLSv1.3 TLS_AES_256_GCM_SHA384" && claim.command == "STOR")
        #expect(claim.path == "/ä/datei" && claim.byteCount == 5)
        #expect(claim.expectedByteCount == 12 && claim.transferMilliseconds > 0)
        board.endTransfer()
        board.note(command: "")
        claim = SessionClaim.read(page)
        #expect(claim.path == "" && claim.command == "" && claim.transferMilliseconds == 0)
    }

    @Test(arguments: [0, 1, 7, 8, 9, 1_023, 1_024])
    func textsOfEveryLengthAreKept(count: Int) throws {
        let page = try SharedPage(mapping: SharedPage.make())
        let text = String((0..<count).map { _ in "abcdefg".randomElement() ?? "x" })
        SessionBoard(on: page).beginTransfer(of: text, byteCount: nil)
        #expect(SessionClaim.read(page).path == text)
    }

    @Test func whatIsTooLongIsCut() throws {
        let page = try SharedPage(mapping: SharedPage.make())
        let board = SessionBoard(on: page)
        board.beginTransfer(of: String(repeating: "a", count: 5_000), byteCount: nil)
        board.note(tls: String(repeating: "b", count: 5_000))
        board.note(command: String(repeating: "c", count: 5_000))
        let claim = SessionClaim.read(page)
        #expect(claim.path.utf8.count == 1_024 && claim.tls.utf8.count == 128)
        #expect(claim.command.utf8.count == 32 && claim.expectedByteCount == nil)
    }

    /// A Session that somebody has taken over may write anything.
    @Test func whateverStandsThereIsReadAndEndsNothing() throws {
        for number in [Int64.min, -1, 1, .max, 0x4141_4141_4141_4141] {
            let page = try SharedPage(mapping: SharedPage.make())
            for index in 0..<SharedPage.count { page.store(number, at: index) }
            let claim = SessionClaim.read(page)
            #expect(claim.path.utf8.count <= 3 * SessionClaim.maximumPathByteCount)
            #expect(claim.byteCount >= 0 && claim.idleMilliseconds >= 0)
            #expect(claim.transferMilliseconds >= 0)
            let session = LiveSession(
                process: 1,
                identifier: "a",
                address: .v4(1),
                user: nil,
                connected: 0,
                since: 0,
                isLeaving: false,
                claim: claim
            )
            let message = AdminAnswer.sessions([session], isLast: true).encoded
            #expect(throws: Never.self) { try AdminAnswer(decoding: message) }
        }
    }
}
