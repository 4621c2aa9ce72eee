/// Whom a proxy speaks for, by the PROXY protocol of HAProxy, versions 1 and 2.
package enum ProxyHeader: Hashable, Sendable {
    /// The proxy itself: a health check (LOCAL), or a connection of unknown kind (UNKNOWN, UNSPEC).
    case own
    /// A client, and the address of the proxy that it connected to.
    case client(ProxyEnd, to: ProxyEnd)
}

/// An address with a port, as a proxy tells it.
package struct ProxyEnd: Hashable, Sendable {
    /// The address.
    package let address: IPAddress
    /// The port.
    package let port: UInt16

    /// Creates an end.
    package init(_ address: IPAddress, _ port: UInt16) {
        self.address = address.unmapped
        self.port = port
    }
}

/// The bytes are no PROXY header.
package struct ProxyHeaderError: Error, Hashable, Sendable {
    /// Creates the error.
    package init() {}
}

/// Reads a PROXY header and not one byte of what stands behind it.
///
/// Feed it what ``wantedByteCount`` asks for: what follows the header may be the client's TLS, which
/// somebody else has to read.
package struct ProxyHeaderReader {
    /// The first bytes of version 2.
    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]

    /// The first bytes of version 1.
    private static let word = Array("PROXY ".utf8)

    /// The longest header of version 1, its CRLF included.
    private static let maximumLineByteCount = 107

    /// The most that may stand behind the first 16 bytes of version 2, extensions included.
    private static let maximumBodyByteCount = 2_048

    private var bytes: [UInt8] = []

    /// Creates a reader that has seen nothing.
    package init() {}

    /// Whether nothing has come yet.
    package var isEmpty: Bool { bytes.isEmpty }

    /// How many bytes may be read next, at least 1.
    package var wantedByteCount: Int {
        if bytes.count < Self.signature.count { return Self.signature.count - bytes.count }
        guard bytes.starts(with: Self.signature) else { return 1 }
        guard bytes.count >= 16 else { return 16 - bytes.count }
        return max(1, 16 + bodyByteCount - bytes.count)
    }

    private var bodyByteCount: Int { Int(bytes[14]) << 8 | Int(bytes[15]) }

    /// Takes at most ``wantedByteCount`` bytes.
    ///
    /// - Parameter more: What has come.
    /// - Returns: The header once it is complete, else `nil`.
    /// - Throws: ``ProxyHeaderError``.
    package mutating func read(
        _ more: some Collection<UInt8>
    ) throws(ProxyHeaderError) -> ProxyHeader? {
        bytes += more
        if bytes.starts(with: Self.signature) || Self.signature.starts(with: bytes) {
            return try readBinary()
        }
        return try readLine()
    }

    // MARK: Version 1

    private func readLine() throws(ProxyHeaderError) -> ProxyHeader? {
        guard bytes.starts(with: Self.word) || Self.word.starts(with: bytes) else {
            throw ProxyHeaderError()
        }
        guard bytes.suffix(2) == [0x0D, 0x0A] else {
            guard bytes.count < Self.maximumLineByteCount, !bytes.contains(0x0A) else {
                throw ProxyHeaderError()
            }
            return nil
        }
        let words = bytes.dropLast(2).split(
            separator: UInt8(ascii: " "),
            omittingEmptySubsequences: false
        )
        guard words.count >= 2 else { throw ProxyHeaderError() }
        let family = String(decoding: words[1], as: UTF8.self)
        if family == "UNKNOWN" { return .own }
        guard words.count == 6, family == "TCP4" || family == "TCP6",
            let source = Self.end(words[2], words[4], isIPv4: family == "TCP4"),
            let destination = Self.end(words[3], words[5], isIPv4: family == "TCP4")
        else { throw ProxyHeaderError() }
        return .client(source, to: destination)
    }

    private static func end(
        _ address: ArraySlice<UInt8>,
        _ port: ArraySlice<UInt8>,
        isIPv4: Bool
    ) -> ProxyEnd? {
        guard let address = IPAddress(bytes: address), (address.family == .ipv4) == isIPv4,
            port.count <= 5, port.count == 1 || port.first != UInt8(ascii: "0"),
            let number = DecimalNumber.parse(port), let port = UInt16(exactly: number)
        else { return nil }
        return ProxyEnd(address, port)
    }

    // MARK: Version 2

    private func readBinary() throws(ProxyHeaderError) -> ProxyHeader? {
        guard bytes.count >= 16 else { return nil }
        guard bytes[12] >> 4 == 2, bodyByteCount <= Self.maximumBodyByteCount else {
            throw ProxyHeaderError()
        }
        guard bytes.count >= 16 + bodyByteCount else { return nil }
        let body = bytes[16...]
        switch (bytes[12] & 0xF, bytes[13]) {
        // LOCAL; and PROXY for what is neither IPv4 nor IPv6.
        case (0, _), (1, 0x00): return .own
        case (1, 0x11):
            guard body.count >= 12 else { throw ProxyHeaderError() }
            return .client(
                ProxyEnd(Self.v4(body.dropFirst(0)), Self.port(body.dropFirst(8))),
                to: ProxyEnd(Self.v4(body.dropFirst(4)), Self.port(body.dropFirst(10)))
            )
        case (1, 0x21):
            guard body.count >= 36 else { throw ProxyHeaderError() }
            return .client(
                ProxyEnd(Self.v6(body.dropFirst(0)), Self.port(body.dropFirst(32))),
                to: ProxyEnd(Self.v6(body.dropFirst(16)), Self.port(body.dropFirst(34)))
            )
        default: throw ProxyHeaderError()
        }
    }

    private static func number(_ bytes: some Collection<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func v4(_ bytes: ArraySlice<UInt8>) -> IPAddress {
        .v4(UInt32(truncatingIfNeeded: number(bytes.prefix(4))))
    }

    private static func v6(_ bytes: ArraySlice<UInt8>) -> IPAddress {
        .v6(high: number(bytes.prefix(8)), low: number(bytes.dropFirst(8).prefix(8)))
    }

    private static func port(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        UInt16(truncatingIfNeeded: number(bytes.prefix(2)))
    }
}
