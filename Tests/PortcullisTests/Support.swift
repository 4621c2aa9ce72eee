import FTPProtocol
import LinuxSystem
import Portcullis
import Synchronization

/// A server, and whether it still serves.
final class ServingServer: Sendable {
    let server: FTPServer
    private let end = Flag()

    init(_ server: FTPServer) throws {
        self.server = server
        let end = end
        try DetachedThread.start("server") {
            server.serveForever()
            end.raise()
        }
    }

    func hasEnded(within limit: Duration) -> Bool { end.isRaised(within: limit) }
}

/// Something that comes true in another thread.
final class Flag: Sendable {
    private let value = Mutex(false)

    var isRaised: Bool { value.withLock { $0 } }

    func raise() { value.withLock { $0 = true } }

    func isRaised(within limit: Duration) -> Bool {
        let deadline = Deadline(after: limit)
        while !isRaised, !deadline.hasPassed { sleep(for: .milliseconds(5)) }
        return isRaised
    }
}

/// A client that speaks lines.
final class LineClient {
    private static let timeout: Duration = .seconds(10)

    private let socket: OwnedDescriptor
    private var received: [UInt8] = []

    init(_ port: UInt16) throws {
        let loopback = IPAddress.v4(0x7F00_0001)
        socket = try .connecting(
            to: SocketAddress(loopback, port: port),
            from: SocketAddress(loopback, port: 0)
        )
    }

    /// The next line without its end; `nil` when the server has closed.
    func line() -> String? {
        let deadline = Deadline(after: Self.timeout)
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = received[..<end].filter { $0 != UInt8(ascii: "\r") }
                received.removeFirst(end + 1)
                return String(decoding: line, as: UTF8.self)
            }
            guard wait(reading: true, until: deadline) else { return nil }
            var piece = [UInt8](repeating: 0, count: 512)
            switch unsafe piece.withUnsafeMutableBytes({ unsafe socket.receive(into: $0) }) {
            case .bytes(let count): received += piece.prefix(count)
            case .wantsRead, .wantsWrite: continue
            case .ended, .failed: return nil
            }
        }
    }

    /// Sends a line and returns the one that answers.
    func command(_ line: String) -> String? {
        guard wait(reading: false, until: Deadline(after: Self.timeout)) else { return nil }
        _ = unsafe Array("\(line)\r\n".utf8).withUnsafeBytes { unsafe socket.send($0) }
        return self.line()
    }

    private func wait(reading: Bool, until deadline: Deadline) -> Bool {
        var entries = [PollEntry(socket.number, reading: reading, writing: !reading)]
        while !deadline.hasPassed {
            guard let count = try? poll(&entries, until: deadline) else { return false }
            if count > 0 { return true }
        }
        return false
    }
}
