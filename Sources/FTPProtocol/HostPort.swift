/// An IPv4 address and port as PORT and PASV write them (RFC 959 section 4.1.2).
package struct HostPort: Hashable, Sendable {
    /// The address, always IPv4 when it was read from a client.
    package let address: IPAddress

    /// The TCP port.
    package let port: UInt16

    /// Creates a pair to be shown to a client.
    package init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Reads `h1,h2,h3,h4,p1,p2`.
    ///
    /// Exactly six decimal numbers of one to three digits, each at most 255, and nothing else: no
    /// blanks, signs or brackets. Port 0, which nobody can listen on, is refused too.
    package init?(argument: [UInt8]) {
        let parts = argument.split(
            separator: UInt8(ascii: ","),
            maxSplits: 6,
            omittingEmptySubsequences: false
        )
        guard parts.count == 6 else { return nil }
        var value: UInt64 = 0
        for part in parts {
            guard part.count <= 3 else { return nil }
            guard let number = DecimalNumber.parse(part), number <= 255 else { return nil }
            value = value << 8 | UInt64(truncatingIfNeeded: number)
        }
        let port = UInt16(truncatingIfNeeded: value)
        guard port != 0 else { return nil }
        self.init(address: .v4(UInt32(truncatingIfNeeded: value >> 16)), port: port)
    }

    /// The six numbers with commas between, `127,0,0,1,19,136`.
    ///
    /// - Returns: `nil` for an IPv6 address, which this notation cannot express; EPSV is the way
    ///   out. An IPv4-mapped address is shown as IPv4.
    package var text: String? {
        guard case .v4(let value) = address.unmapped else { return nil }
        let numbers = [
            value >> 24, value >> 16 & 0xFF, value >> 8 & 0xFF, value & 0xFF,
            UInt32(port >> 8), UInt32(port & 0xFF),
        ]
        return numbers.map(String.init).joined(separator: ",")
    }
}
