import FTPProtocol
import LinuxSystem
import TLS
import TestSupport
import Testing

@Suite("A connection before, at and after the start of TLS")
struct NetworkStreamTests {
    /// A stream and the client's end of it.
    private struct Connection: ~Copyable {
        let stream: NetworkStream
        let client: OwnedDescriptor

        static func make() throws -> Connection {
            let loopback = SocketAddress(.v4(0x7F00_0001), port: 0)
            let listener = try OwnedDescriptor.listening(on: loopback, backlog: 1)
            let address = try listener.localAddress()
            let client = try OwnedDescriptor.connecting(to: address, from: loopback)
            var entries = [PollEntry(listener.number, reading: true)]
            _ = try poll(&entries, until: Deadline(after: .seconds(5)))
            let connection = try present(listener.accept())
            let peer = connection.peer
            let stream = NetworkStream(owning: connection.takeDescriptor(), peer: peer)
            return Connection(stream: stream, client: client)
        }

        /// What the client receives, or `nil` when nothing comes within `wait`.
        func receive(wait: Duration = .seconds(5)) throws -> [UInt8]? {
            var entries = [PollEntry(client.number, reading: true)]
            guard try poll(&entries, until: Deadline(after: wait)) > 0 else { return nil }
            var bytes = [UInt8](repeating: 0, count: 4_096)
            // The kernel takes the client for a plain stream.
            let stream = NetworkStream(owning: try client.duplicate(), peer: self.stream.peer)
            let outcome = unsafe bytes.withUnsafeMutableBytes { unsafe stream.read(into: $0) }
            guard case .bytes(let count) = outcome else { return [] }
            return [UInt8](bytes.prefix(count))
        }

        func send(_ text: String) throws {
            let stream = NetworkStream(owning: try client.duplicate(), peer: self.stream.peer)
            let outcome = unsafe Array(text.utf8).withUnsafeBytes { unsafe stream.write($0) }
            #expect(outcome == .bytes(text.utf8.count))
            var entries = [PollEntry(self.stream.descriptor.number, reading: true)]
            #expect(try poll(&entries, until: Deadline(after: .seconds(5))) == 1)
        }
    }

    private func write(_ text: String, to stream: NetworkStream) -> WriteOutcome {
        unsafe Array(text.utf8).withUnsafeBytes { unsafe stream.write($0) }
    }

    @Test func withoutTLSBytesPassAsTheyAre() throws {
        let connection = try Connection.make()
        let stream = connection.stream
        #expect(!stream.isTLS && !stream.isResumed && stream.peerCertificateDigest == nil)
        #expect(stream.summary == "plain")
        #expect(stream.handshake() == .done && stream.flush() == .done)
        #expect(write("220 hello\r\n", to: stream) == .bytes(11))
        #expect(try connection.receive() == Array("220 hello\r\n".utf8))
        try connection.send("USER a\r\n")
        var buffer = [UInt8](repeating: 0, count: 100)
        let outcome = unsafe buffer.withUnsafeMutableBytes { unsafe stream.read(into: $0) }
        #expect(outcome == .bytes(8))
    }

    @Test(arguments: [TLSRole.control, .data])
    func onceTLSHasBegunNothingIsWrittenInClear(role: TLSRole) throws {
        let connection = try Connection.make()
        let stream = connection.stream
        try stream.beginTLS(CertificatePlace().context(), as: role)
        #expect(stream.isTLS)
        #expect(write("530 secret\r\n", to: stream) == .wantsRead)
        #expect(stream.sendCloseNotify() == .failed(TLSError(.transport)))
        _ = stream.flush()
        _ = stream.issueTicket()
        #expect(try connection.receive(wait: .milliseconds(50)) == nil)
    }

    @Test func aHandshakeWaitsForTheClient() throws {
        let connection = try Connection.make()
        try connection.stream.beginTLS(CertificatePlace().context(), as: .control)
        #expect(connection.stream.handshake() == .wantsRead)
        #expect(!connection.stream.isResumed)
        #expect(!connection.stream.hasApplicationProtocol)
    }

    @Test(arguments: [
        "USER anonymous\r\nPASS x\r\n", "GET / HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}x",
    ])
    func clearTextInPlaceOfAHandshakeEndsTheConnection(text: String) throws {
        let connection = try Connection.make()
        let stream = connection.stream
        try stream.beginTLS(CertificatePlace().context(), as: .control)
        try connection.send(text)
        connection.client.endWriting()
        var step = stream.handshake()
        let deadline = Deadline(after: .seconds(5))
        while step == .wantsRead, !deadline.hasPassed {
            var entries = [PollEntry(stream.descriptor.number, reading: true)]
            _ = try poll(&entries, until: deadline)
            step = stream.handshake()
        }
        #expect(step == .failed(TLSError(.handshake)))
        #expect(stream.sendCloseNotify() == .failed(TLSError(.transport)))
        // At most an alert record (type 21) goes out, and no reply in clear.
        let words = try connection.receive(wait: .milliseconds(50))
        #expect(words?.first == nil || words?.first == 21)
        #expect(write("530 secret\r\n", to: stream) == .failed)
    }
}
