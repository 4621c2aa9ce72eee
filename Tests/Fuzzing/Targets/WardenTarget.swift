import FTPProtocol
import LinuxSystem
import Logging
import TestSupport

@testable import Authentication
@testable import Isolation

/// Whatever a Session asks, and in whatever order, its Warden grants nothing out of turn.
///
/// The first byte of the input says whether a proxy stands in front; each step is a message, or a
/// request of some kind.
enum WardenTarget {
    static func run(_ input: [UInt8]) throws {
        var reader = InputReader(input)
        var settings = TestWarden.settings()
        let isProxied = reader.byte() & 1 != 0
        if isProxied, let network = IPNetwork("127.0.0.0/8") { settings.proxyNetworks = [network] }
        let users = TestUsers()
        let log = TestLog()
        let (listener, census) = try TestListener.start()
        let ends = try Ends.make()
        let far = Holder(try ends.far.descriptor.duplicate())
        let channel = ends.takeNear()
        let warden = try Companion {
            guard let channel = far.take(), let census = census.take() else { return }
            let warden = TestWarden(
                MessageSocket(owning: channel),
                MessageSocket(owning: census),
                settings,
                users,
                log
            )
            warden.serve()
            warden.endLogin()
        }
        var expectation = WardenExpectation(isProxied: isProxied)
        let outcome = Result { try talk(&reader, channel, &expectation) }
        channel.descriptor.endWriting()
        warden.join()
        listener.join()
        try outcome.get()
        try log.check(isOurs: false)
        try claim(users.grantCount == expectation.grantCount, "\(users.grantCount) logins granted")
    }

    private static func talk(
        _ reader: inout InputReader,
        _ channel: borrowing MessageSocket,
        _ expectation: inout WardenExpectation
    ) throws {
        for _ in 0..<48 {
            guard !reader.isAtEnd else { return }
            let message = Self.message(&reader)
            guard !message.isEmpty else { continue }
            do {
                try channel.send(message)
            } catch {
                throw Flaw(description: "the Warden went: \(error)")
            }
            let request = try? WardenRequest(decoding: message)
            var wanted = expectation.replies(to: request)
            while !wanted.isEmpty {
                let alternatives = wanted.removeFirst()
                guard var answer = try channel.receive() else {
                    throw Flaw(description: "no answer to \(request as Any)")
                }
                let reply = try WardenReply(decoding: answer.bytes)
                guard let kind = alternatives.first(where: { $0.fits(reply) }) else {
                    throw Flaw(description: "\(reply) to \(request as Any)")
                }
                let hasFile = isThere(answer.takeDescriptor())
                try claim(kind.bringsDescriptor == hasFile, "\(reply) and a descriptor")
            }
            guard !expectation.isOver else {
                guard !isThere(try channel.receive()) else {
                    throw Flaw(description: "an answer after the end")
                }
                return
            }
        }
    }

    private static func message(_ reader: inout InputReader) -> [UInt8] {
        let choice = reader.byte()
        guard choice & 0x80 == 0 else { return reader.piece() }
        let argument = reader.byte()
        let user = argument & 1 == 0 ? "demo" : "asks"
        let password = Secret(copying: (argument & 2 == 0 ? "right" : "wrong").utf8)
        let request: WardenRequest =
            switch choice & 0x1F {
            case 0: .authenticate(LoginAttempt(user: user, password: password, isClear: true))
            case 1: .endLogin
            case 2: .listenForData
            case 3: .connectForData(TestWarden.peer.address, port: UInt16(argument) << 8)
            case 4: .connectForData(.v4(UInt32(argument) << 24), port: 2_048)
            case 5: .log(.info, String(decoding: reader.line(), as: UTF8.self))
            case 6: .listSessions
            case 7: .charge(UInt32(argument) << 1)
            case 8: .client(SocketAddress(.v4(UInt32(argument)), port: 1))
            case 9: .charge(UInt32(argument) << 2)
            case 10: .accountName(.user(UInt32(argument)))
            case 11: .answer(SecondAnswer(Secret(copying: (argument < 128 ? "more" : "less").utf8)))
            case 12: .giveUp
            case 13: .showCertificate([argument])
            case 14: .admit(user: user)
            case 15:
                argument & 2 == 0 ? .noteTLS(tls) : .audit(audited(argument, at: reader.line()))
            case 16..<24: .record(action(argument, at: reader.line()))
            case 24...: .recordLine(isReply: argument & 1 != 0, reader.line())
            default:
                argument & 2 == 0
                    ? .markClear(argument & 1 == 0)
                    : .logAction(.info, String(decoding: reader.line(), as: UTF8.self))
            }
        return request.encoded
    }

    private static let tls = AuditedTLS(version: "TLSv1.3", suite: "", group: "", isResumed: false)

    private static func audited(_ argument: UInt8, at path: [UInt8]) -> AuditedAction {
        let kinds = AuditedAction.Kind.allCases
        var action = AuditedAction(kinds[Int(argument >> 2) % kinds.count], "STOR")
        action.path = VirtualPath(bytes: path)
        action.detail = [UInt8](path.prefix(AuditedAction.maximumTextByteCount))
        return action
    }

    private static func action(_ argument: UInt8, at path: [UInt8]) -> LoggedAction {
        let kinds = LoggedAction.Kind.allCases
        let path = VirtualPath(bytes: path) ?? .root
        return LoggedAction(
            kinds[Int(argument & 0x7F) % kinds.count],
            path,
            isDone: argument & 0x80 == 0
        )
    }
}
