import FTPProtocol
import TestSupport
import Testing

@Suite("The PROXY header of a load balancer")
struct ProxyHeaderTests {
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]

    /// Feeds just what is asked for; the header, and how many bytes it took.
    private func read(
        _ bytes: [UInt8],
        inPiecesOf size: Int = .max
    ) throws -> (header: ProxyHeader?, count: Int) {
        var reader = ProxyHeaderReader()
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(min(reader.wantedByteCount, size))
            rest = rest.dropFirst(piece.count)
            if let header = try reader.read(piece) { return (header, bytes.count - rest.count) }
        }
        return (nil, bytes.count)
    }

    private static func end(_ address: String, _ port: UInt16) throws -> ProxyEnd {
        ProxyEnd(try #require(IPAddress(address)), port)
    }

    private static func binary(
        _ command: UInt8,
        _ family: UInt8,
        _ body: [UInt8]
    ) -> [UInt8] {
        signature + [command, family, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    }

    private static let tcp4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 7, 0xC0, 0x01, 0, 21]

    @Test(arguments: [Int.max, 1, 3])
    func versionOneNamesBothEnds(size: Int) throws {
        let line = bytes("PROXY TCP4 192.0.2.1 198.51.100.7 49153 21\r\n")
        let (header, count) = try read(line + bytes("USER x\r\n"), inPiecesOf: size)
        #expect(
            try header
                == .client(Self.end("192.0.2.1", 49_153), to: Self.end("198.51.100.7", 21))
        )
        #expect(count == line.count, "not a byte of what stands behind it")
        let six = try read(bytes("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"), inPiecesOf: size)
        #expect(
            try six.header == .client(Self.end("2001:db8::1", 1), to: Self.end("::1", 65_535))
        )
    }

    @Test(arguments: [Int.max, 1, 5])
    func versionTwoNamesBothEnds(size: Int) throws {
        // An extension of 3 bytes stands behind the addresses.
        let message = Self.binary(0x21, 0x11, Self.tcp4 + [4, 0, 0])
        let (header, count) = try read(message + [0x16, 3, 1], inPiecesOf: size)
        #expect(
            try header
                == .client(Self.end("192.0.2.1", 49_153), to: Self.end("198.51.100.7", 21))
        )
        #expect(count == message.count)
        let source: [UInt8] = [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]
        let target = [UInt8](repeating: 0, count: 15) + [1]
        let six = Self.binary(0x21, 0x21, source + target + [0, 80, 0, 21])
        #expect(
            try read(six, inPiecesOf: size).header
                == .client(Self.end("2001:db8::9", 80), to: Self.end("::1", 21))
        )
    }

    @Test func mappedAddressesAreWhatTheyMap() throws {
        let mapped = try read(bytes("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"))
        #expect(try mapped.header == .client(Self.end("192.0.2.1", 1), to: Self.end("::1", 2)))
    }

    @Test(arguments: [
        bytes("PROXY UNKNOWN\r\n"), bytes("PROXY UNKNOWN ffff::1 what ever 1\r\n"),
        binary(0x20, 0x00, []), binary(0x20, 0x11, tcp4), binary(0x21, 0x00, [1, 2, 3]),
    ])
    func aProxyMaySpeakForItself(message: [UInt8]) throws {
        let (header, count) = try read(message)
        #expect(header == .own && count == message.count)
    }

    @Test(arguments: [
        "USER x\r\n", "GET / HTTP/1.0\r\n", "PROXY\r\n", "PROXY TCP4\r\n", "PROXYTCP4 \r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 49153\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 49153 21 1\r\n",
        "PROXY  TCP4 192.0.2.1 198.51.100.7 49153 21\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 49153 65536\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 049153 21\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 -1 21\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 192.0.2.1 ::1 1 2\r\n", "PROXY UDP4 192.0.2.1 198.51.100.7 1 2\r\n",
        "PROXY TCP4 192.0.2.01 198.51.100.7 1 2\r\n", "PROXY TCP4 192.0.2.1 198.51.100.7 1 2\n",
        "PROXY UNKNOWN\n\r\n",
    ])
    func linesThatAreNoneAreRefused(line: String) {
        #expect(throws: ProxyHeaderError()) { try read(bytes(line)) }
    }

    @Test func aLineHasItsLimit() throws {
        let rest = String(repeating: "x", count: 107 - "PROXY UNKNOWN \r\n".utf8.count)
        #expect(try read(bytes("PROXY UNKNOWN \(rest)\r\n")).header == .own)
        #expect(throws: ProxyHeaderError()) { try read(bytes("PROXY UNKNOWN \(rest)x\r\n")) }
    }

    @Test(arguments: [
        signature + [0x11, 0x11, 0, 12] + tcp4, signature + [0x22, 0x11, 0, 12] + tcp4,
        binary(0x21, 0x12, tcp4), binary(0x21, 0x31, tcp4), binary(0x21, 0x11, [1, 2, 3]),
        binary(0x21, 0x21, tcp4), signature + [0x21, 0x11, 0x08, 0x01],
    ])
    func messagesThatAreNoneAreRefused(message: [UInt8]) {
        #expect(throws: ProxyHeaderError()) { try read(message) }
    }

    @Test func noBytesOfAnyKindAreATrap() {
        var generator = FixedGenerator(seed: 12)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...64, using: &generator)
            var message = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if Bool.random(using: &generator) { message = Self.signature + message }
            _ = try? read(message, inPiecesOf: Int.random(in: 1...20, using: &generator))
        }
    }
}
