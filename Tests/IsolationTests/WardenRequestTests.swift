import FTPProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import Isolation

@Suite("Requests that a hostile Session could send to its Warden")
struct WardenRequestTests {
    private static func login(_ user: [UInt8], _ password: [UInt8]) -> [UInt8] {
        var writer = MessageWriter(tag: 1)
        writer.put(user)
        writer.put(password)
        writer.put(false)
        return writer.bytes
    }

    private static func log(_ level: UInt8, _ text: [UInt8]) -> [UInt8] {
        var writer = MessageWriter(tag: 5)
        writer.put(level)
        writer.put(text)
        return writer.bytes
    }

    private static func answer(_ secret: [UInt8]) -> [UInt8] {
        var writer = MessageWriter(tag: WardenRequest.Kind.answer.rawValue)
        writer.put(secret)
        return writer.bytes
    }

    private static func action(
        _ kind: LoggedAction.Kind,
        _ complete: (inout LoggedAction) -> Void
    ) -> [UInt8] {
        var action = LoggedAction(kind, VirtualPath("/a/\u{1}") ?? .root, isDone: true)
        complete(&action)
        return WardenRequest.record(action).encoded
    }

    private static func audited(
        _ kind: AuditedAction.Kind,
        _ complete: (inout AuditedAction) -> Void
    ) -> [UInt8] {
        var action = AuditedAction(kind, "RETR")
        action.path = VirtualPath("/a/\u{1}")
        action.code = 226
        complete(&action)
        return WardenRequest.audit(action).encoded
    }

    private static let tls = AuditedTLS(
        version: "TLSv1.3",
        suite: "TLS_AES_256_GCM_SHA384",
        group: "x25519",
        isResumed: true
    )

    /// One message of every kind and form.
    private static let samples: [[UInt8]] = [
        login(bytes("jürgen"), bytes("pass word \u{E9}\r\n")),
        login([UInt8](repeating: 65, count: 128), [UInt8](repeating: 0xFF, count: 512)),
        login(bytes("a"), []),
        [2],
        [3],
        [WardenRequest.Kind.giveUp.rawValue],
        WardenRequest.showCertificate([1, 2, 3]).encoded,
        WardenRequest.admit(user: "jürgen").encoded,
        answer(bytes("123456")),
        answer([UInt8](repeating: 0xFF, count: 512)),
        WardenRequest.connectForData(.v4(0xC0A8_0102), port: 65_535).encoded,
        WardenRequest.connectForData(.v6(high: 0x2001_0DB8 << 32, low: 1), port: 1).encoded,
        WardenRequest.client(SocketAddress(.v4(7), port: 9)).encoded,
        WardenRequest.markClear(true).encoded, WardenRequest.markClear(false).encoded,
        [WardenRequest.Kind.logAction.rawValue] + log(2, bytes("STOR")).dropFirst(),
        WardenRequest.charge(1).encoded, WardenRequest.charge(.max).encoded,
        action(.download) {
            $0.byteCount = .max
            $0.nanoseconds = 1
            $0.isASCII = true
        },
        action(.rename) { $0.target = VirtualPath("/b c") }, action(.rename) { _ in },
        action(.changeMode) { $0.mode = 0o7777 }, action(.makeDirectory) { _ in },
        WardenRequest.handshake(HandshakeReport.all[0]).encoded,
        WardenRequest.handshake(HandshakeReport.all[9]).encoded,
        WardenRequest.recordLine(isReply: true, [0xFF, 10, 0]).encoded,
        WardenRequest.recordLine(isReply: false, [UInt8](repeating: 65, count: 4_096)).encoded,
        audited(.read) {
            $0.byteCount = .max
            $0.digest = [UInt8](repeating: 7, count: 32)
            $0.data = AuditedData(tls: tls, proof: .session)
        },
        audited(.write) { $0.data = AuditedData(tls: nil, proof: .none) },
        audited(.rename) { $0.target = VirtualPath("/b c") },
        audited(.changeMode) { $0.mode = 0o7777 },
        audited(.site) {
            $0.path = nil
            $0.detail = [0, 0xFF]
            $0.code = 0
            $0.reason = "no"
        },
        WardenRequest.noteTLS(tls).encoded,
        log(0, []),
        log(6, [UInt8](repeating: 65, count: 4_096)),
    ]

    private func violation(_ message: [UInt8]) -> MessageError? {
        thrown { _ = try WardenRequest(decoding: message) }
    }

    @Test(arguments: samples)
    func whatIsReadIsWrittenTheSameWay(message: [UInt8]) throws {
        #expect(try WardenRequest(decoding: message).encoded == message)
    }

    @Test func aLoginArrivesWhole() throws {
        let attempt = LoginAttempt(
            user: "jürgen",
            password: Secret(copying: "p\u{E4}ss".utf8),
            isClear: true
        )
        let request = try WardenRequest(decoding: WardenRequest.authenticate(attempt).encoded)
        guard case .authenticate(let read) = request else {
            Issue.record("not a login")
            return
        }
        #expect(read.user == "jürgen" && read.isClear)
        let password = unsafe read.password.withBytes { unsafe [UInt8]($0) }
        #expect(password == bytes("p\u{E4}ss"))
    }

    @Test(
        arguments: [
            .v4(0), .v4(.max), .v4(0x7F00_0001), .v6(high: 0, low: 1), .v6(high: .max, low: .max),
            .v6(high: 0xFE80 << 48, low: 0xFFFF_7F00_0001),
        ] as [IPAddress]
    )
    func anAddressArrivesWhole(address: IPAddress) throws {
        let message = WardenRequest.connectForData(address, port: 50_021).encoded
        guard case .connectForData(let read, let port) = try WardenRequest(decoding: message) else {
            Issue.record("not a connection")
            return
        }
        #expect(read == address && port == 50_021)
    }

    @Test func aMappedAddressCannotPassForAnother() throws {
        let mapped = IPAddress.v6(high: 0, low: 0xFFFF_7F00_0001)
        let message = WardenRequest.connectForData(mapped, port: 1).encoded
        guard case .connectForData(let read, _) = try WardenRequest(decoding: message) else {
            Issue.record("not a connection")
            return
        }
        #expect(read == loopback())
    }

    @Test func aLogLineArrivesWhole() throws {
        for level in 0...6 as ClosedRange<UInt8> {
            guard
                case .log(_, let text) = try WardenRequest(
                    decoding: Self.log(level, bytes("zeile"))
                )
            else {
                Issue.record("not a line")
                return
            }
            #expect(text == "zeile")
        }
    }

    @Test(arguments: samples)
    func everyCutIsRefused(message: [UInt8]) {
        for count in 0..<message.count {
            #expect(violation([UInt8](message.prefix(count))) == .truncated, "\(count) bytes")
        }
    }

    @Test(arguments: samples)
    func everyByteTooManyIsRefused(message: [UInt8]) {
        #expect(violation(message + [0]) == .trailingBytes(count: 1))
    }

    @Test func aRecordingHasItsBound() {
        let longest = [UInt8](repeating: 0, count: WardenRequest.maximumRecordingByteCount)
        #expect(violation(WardenRequest.showCertificate(longest).encoded) == nil)
        #expect(
            violation(WardenRequest.showCertificate(longest + [0]).encoded)
                == .tooLong(byteCount: longest.count + 1)
        )
    }

    @Test(arguments: ["", "a\u{1}", String(repeating: "a", count: 129)])
    func aNameThatNobodyHasIsNotAdmitted(user: String) {
        #expect(violation(WardenRequest.admit(user: user).encoded) != nil)
    }

    @Test func anActionThatMakesNoSenseIsRefused() {
        #expect(violation(Self.action(.upload) { $0.target = .root }) == .invalidValue)
        #expect(violation(Self.action(.delete) { $0.mode = 0o644 }) == .invalidValue)
        #expect(violation(Self.action(.changeMode) { $0.mode = 0o10000 }) == .invalidValue)
        #expect(violation(Self.action(.rename) { $0.byteCount = 1 }) == .invalidValue)
        #expect(violation(Self.action(.delete) { $0.nanoseconds = 1 }) == .invalidValue)
        #expect(violation(Self.action(.delete) { $0.isASCII = true }) == .invalidValue)
        for path in ["", "a", "/a/", "/../a", "/a\nb", "/a\0"] {
            var writer = MessageWriter(tag: WardenRequest.Kind.record.rawValue)
            writer.put(UInt8(5))
            for _ in 0..<3 { writer.put(UInt8(0)) }
            writer.put(UInt8(0))
            writer.put(UInt64(0))
            writer.put(UInt64(0))
            writer.put(path)
            writer.put("")
            #expect(violation(writer.bytes) == .invalidValue, "\(path)")
        }
    }

    @Test func aLineOfTheConversationHasItsBound() {
        let long = [UInt8](repeating: 65, count: 4_097)
        let message = WardenRequest.recordLine(isReply: true, long).encoded
        #expect(violation(message) == .tooLong(byteCount: 4_097))
    }

    @Test func unknownKindsAreRefused() {
        for tag in 0...UInt8.max where WardenRequest.Kind(rawValue: tag) == nil {
            #expect(violation([tag]) == .unknownTag(tag))
        }
    }

    @Test(arguments: [
        "", "a\0", "\0", "a\nb", "a\r", "\ta", "a\u{1B}[2J", "a\u{7F}", "a\u{80}b", "a\u{9F}",
    ])
    func aUserWithControlCharactersIsRefused(user: String) {
        #expect(violation(Self.login(bytes(user), bytes("x"))) == .invalidValue)
    }

    @Test func aUserThatIsNotUTF8IsRefused() {
        #expect(violation(Self.login([0x61, 0xFF], bytes("x"))) == .invalidValue)
    }

    @Test(arguments: [129, 130, 4_096])
    func aUserThatIsTooLongIsRefused(count: Int) {
        let user = [UInt8](repeating: 65, count: count)
        #expect(violation(Self.login(user, [])) == .tooLong(byteCount: count))
    }

    @Test(arguments: [513, 60_000])
    func aPasswordThatIsTooLongIsRefused(count: Int) {
        let password = [UInt8](repeating: 65, count: count)
        #expect(violation(Self.login(bytes("a"), password)) == .tooLong(byteCount: count))
    }

    @Test(arguments: [[0], [65, 0], [0, 65], [65, 0, 66]] as [[UInt8]])
    func aPasswordWithNULIsRefused(password: [UInt8]) {
        // PAM would take what stands before the NUL for the whole password.
        #expect(violation(Self.login(bytes("a"), password)) == .invalidValue)
    }

    @Test func anAnswerIsHeldToTheRulesOfAPassword() {
        #expect(violation(Self.answer([65, 0])) == .invalidValue)
        let long = [UInt8](repeating: 65, count: 513)
        #expect(violation(Self.answer(long)) == .tooLong(byteCount: 513))
    }

    @Test(arguments: [7, 8, 128, 255] as [UInt8])
    func aLevelThatDoesNotExistIsRefused(level: UInt8) {
        #expect(violation(Self.log(level, bytes("text"))) == .invalidValue)
    }

    @Test func aLogLineThatIsTooLongOrNoTextIsRefused() {
        let long = [UInt8](repeating: 65, count: 4_097)
        #expect(violation(Self.log(1, long)) == .tooLong(byteCount: 4_097))
        #expect(violation(Self.log(1, [0xC3])) == .invalidValue)
    }

    @Test(arguments: [.max, 0x8000_0000, 513] as [UInt32])
    func aHugeCountIsRefused(count: UInt32) {
        var writer = MessageWriter(tag: 1)
        writer.put(count)
        #expect(violation(writer.bytes + bytes("a")) == .tooLong(byteCount: Int(count)))
    }

    @Test func noBytesOfAnyValueTrapTheReader() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var message = Self.samples.randomElement(using: &generator) ?? [1]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: message.indices, using: &generator)
                message[index] = UInt8.random(in: .min ... .max, using: &generator)
            }
            guard let request = try? WardenRequest(decoding: message) else { continue }
            // Whatever is accepted keeps its meaning when it is written again.
            let again = try WardenRequest(decoding: request.encoded)
            #expect(again.encoded == request.encoded)
        }
    }

    @Test func aUserNameIsJudgedTheSameWayEverywhere() {
        #expect(UserName.isAcceptable("a") && UserName.isAcceptable("jürgen m"))
        #expect(UserName.isAcceptable(String(repeating: "a", count: 128)))
        #expect(!UserName.isAcceptable(String(repeating: "a", count: 129)))
        #expect(!UserName.isAcceptable(String(repeating: "ü", count: 65)))
        #expect(!UserName.isAcceptable("") && !UserName.isAcceptable("a\n"))
    }
}
