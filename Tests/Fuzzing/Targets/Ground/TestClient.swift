import FTPProtocol
import Glibc
import LinuxSystem

/// A client that sends what it was given, reads every reply, and makes the data connections that the
/// replies speak of.
final class TestClient {
    private static let payload = Array("one line\r\nand\nanother".utf8)

    /// How long nothing at all may happen.
    private static let patience: Duration = .seconds(20)

    private let control: OwnedDescriptor
    private let manner: ClientManner
    private var pieces: ArraySlice<[UInt8]>
    private var unsent: ArraySlice<UInt8> = []
    private var counter = CommandLineReader()
    private var expectedCount = 1
    private var replies = ReplyReader()
    private var seenCount = 0
    private var hasTLS = false
    private var hasEndedWriting = false
    private var data: [DataEnd] = []
    private var listener: Listener?
    private var flaw: (any Error)?

    init(_ control: consuming OwnedDescriptor, _ manner: ClientManner, _ input: [UInt8]) {
        self.control = control
        self.manner = manner
        let login = manner.logsIn ? Array("USER demo\r\nPASS right\r\n".utf8) : []
        pieces = manner.isPatient ? Self.lines(of: login + input)[...] : [login + input]
        // PORT with this end's address and the first of these ports that is free leads here.
        listener = manner.data == .stays ? nil : Listener()
    }

    /// The codes of all replies.
    var codes: [Int] { replies.codes }

    /// Talks until the server has ended the connection.
    func run() {
        do {
            while try step() {}
        } catch {
            flaw = error
        }
        data = []
        // Whoever still waits for this end goes on.
        control.endWriting()
        _ = shutdown(control.number, CInt(SHUT_RDWR))
    }

    /// Holds the conversation to be one of FTP.
    func check() throws {
        if let flaw { throw flaw }
        guard !hasTLS else { return }
        try replies.finish()
        guard let first = codes.first else { return }
        try claim(first == 220, "the greeting is \(first)")
    }

    private var finalCount: Int { codes.count { $0 >= 200 } }

    private func step() throws -> Bool {
        advance()
        var entries = [
            PollEntry(control.number, reading: true, writing: !unsent.isEmpty),
            listener.map { PollEntry($0.descriptor.number, reading: true) } ?? .none,
        ]
        entries += data.map { PollEntry($0.descriptor.number, reading: true) }
        let count = try poll(&entries, until: Deadline(after: Self.patience))
        guard count > 0 else {
            throw Flaw(description: "\(expectedCount) replies are due, and came \(codes)")
        }
        let ready = zip(data, entries.dropFirst(2)).filter { $0.1.isReadable }.map(\.0)
        for connection in ready { connection.drain() }
        data.removeAll(where: \.isOver)
        if entries[1].isReadable, let accepted = try listener?.descriptor.accept() {
            take(accepted.takeDescriptor())
        }
        guard entries[0].isReadable || entries[0].isWritable else { return true }
        send()
        return try receive()
    }

    /// Says the next thing, or ends this direction when everything was said and answered.
    private func advance() {
        let isAnswered = finalCount >= expectedCount || hasTLS
        guard unsent.isEmpty, !hasEndedWriting else { return }
        if let piece = pieces.first, isAnswered || !manner.isPatient {
            pieces = pieces.dropFirst()
            unsent = piece[...]
            counter.append(piece[...])
            while counter.next() != nil { expectedCount += 1 }
        } else if pieces.isEmpty, isAnswered {
            control.endWriting()
            hasEndedWriting = true
        }
    }

    private func send() {
        guard !unsent.isEmpty else { return }
        let outcome = unsafe unsent.withUnsafeBytes { unsafe control.send($0) }
        switch outcome {
        case .bytes(let count): unsent = unsent.dropFirst(count)
        case .wantsRead, .wantsWrite: break
        // Whoever has closed reads no more.
        case .failed: (unsent, pieces) = ([], [])
        }
    }

    private func receive() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        switch unsafe buffer.withUnsafeMutableBytes({ unsafe control.receive(into: $0) }) {
        case .bytes(let count):
            guard !hasTLS else { return true }
            try replies.append(buffer[..<count]) { try hear($0, $1) }
            return true
        case .wantsRead, .wantsWrite: return true
        case .ended, .failed: return false
        }
    }

    private func hear(_ code: Int, _ line: [UInt8]) throws {
        let text = String(decoding: line, as: UTF8.self)
        switch code {
        case 227:
            let numbers = text.drop { $0 != "(" }.dropFirst().prefix { $0 != ")" }
            try claim(HostPort(argument: Array(numbers.utf8)) != nil, "no address in \(text)")
            connect(HostPort(argument: Array(numbers.utf8))?.port ?? 0)
        case 229:
            let argument = text.drop { $0 != "(" }.dropFirst().prefix { $0 != ")" }
            let port = argument.split(separator: "|").first.flatMap { UInt16($0) }
            try claim(port != nil, "no port in \(text)")
            connect(port ?? 0)
        case 234: hasTLS = true
        default: break
        }
    }

    private func connect(_ port: UInt16) {
        guard manner.data != .stays else { return }
        var local = TestWarden.peer
        local.port = 0
        let remote = SocketAddress(TestWarden.local.address, port: port)
        if let socket = try? OwnedDescriptor.connecting(to: remote, from: local) { take(socket) }
    }

    private func take(_ socket: consuming OwnedDescriptor) {
        let connection = DataEnd(socket)
        switch manner.data {
        case .sends: connection.send(Self.payload)
        case .reads: break
        case .closes, .stays: return
        }
        data.append(connection)
    }

    private static func lines(of bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = [[]]
        for byte in bytes {
            lines[lines.count - 1].append(byte)
            if byte == 0x0A { lines.append([]) }
        }
        return lines.filter { !$0.isEmpty }
    }
}

/// The client's end of one data connection.
private final class DataEnd {
    let descriptor: OwnedDescriptor
    private(set) var isOver = false

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }

    func send(_ bytes: [UInt8]) {
        _ = unsafe bytes.withUnsafeBytes { unsafe descriptor.send($0) }
        descriptor.endWriting()
    }

    /// Reads what is there; closes when the server has ended.
    func drain() {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        switch unsafe buffer.withUnsafeMutableBytes({ unsafe descriptor.receive(into: $0) }) {
        case .bytes, .wantsRead, .wantsWrite: break
        case .ended, .failed: isOver = true
        }
    }
}

/// Where active data connections arrive.
private final class Listener {
    let descriptor: OwnedDescriptor

    init?() {
        var place = TestWarden.peer
        place.port = 40_000
        guard let made = try? OwnedDescriptor.listening(on: place, backlog: 8) else { return nil }
        descriptor = made
    }
}
