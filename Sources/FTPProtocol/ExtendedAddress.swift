/// Why an argument of EPRT or EPSV was refused.
package enum ExtendedAddressError: Error, Hashable, Sendable {
    /// The argument does not follow RFC 2428; reply 501.
    case malformed

    /// The network protocol is neither IPv4 nor IPv6; reply 522 (RFC 2428 section 2).
    case unsupportedProtocol
}

/// An address and port as EPRT writes them (RFC 2428 section 2).
package struct ExtendedAddress: Hashable, Sendable {
    /// The address the client listens on.
    package let address: IPAddress

    /// The TCP port, never 0.
    package let port: UInt16

    /// Creates a pair.
    package init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Reads `|1|132.235.1.2|6275|` or `|2|1080::8:800:200C:417A|5282|`.
    ///
    /// Any character from 33 to 126 may stand for the bar. The address has to be of the family that
    /// the number names, and to come without a scope.
    ///
    /// - Throws: ``ExtendedAddressError``.
    package init(argument: [UInt8]) throws(ExtendedAddressError) {
        guard let delimiter = argument.first, (33...126).contains(delimiter) else {
            throw .malformed
        }
        let parts = argument.split(
            separator: delimiter,
            maxSplits: 5,
            omittingEmptySubsequences: false
        )
        guard parts.count == 5, parts[0].isEmpty, parts[4].isEmpty else { throw .malformed }
        let family: IPAddress.Family
        switch parts[1].keyword {
        case "1": family = .ipv4
        case "2": family = .ipv6
        default: throw DecimalNumber.isDigits(parts[1]) ? .unsupportedProtocol : .malformed
        }
        guard let address = IPAddress(bytes: parts[2]), address.family == family else {
            throw .malformed
        }
        guard
            parts[3].count <= 5,
            let number = DecimalNumber.parse(parts[3]),
            let port = UInt16(exactly: number),
            port != 0
        else {
            throw .malformed
        }
        self.init(address: address, port: port)
    }

    /// The form that ``init(argument:)`` reads.
    package var text: String {
        "|\(address.family == .ipv4 ? 1 : 2)|\(address)|\(port)|"
    }
}

/// What EPSV asks for (RFC 2428 sections 3 and 4).
package enum ExtendedPassiveArgument: Hashable, Sendable {
    /// No argument: the family of the control connection.
    case any

    /// A family asked for by number.
    case family(IPAddress.Family)

    /// `ALL`: from now on the server refuses every other way to set up a data connection.
    case all

    /// Reads the argument of EPSV, which may be empty.
    ///
    /// - Throws: ``ExtendedAddressError``.
    package init(argument: [UInt8]) throws(ExtendedAddressError) {
        guard !argument.isEmpty else {
            self = .any
            return
        }
        switch argument.keyword {
        case "1": self = .family(.ipv4)
        case "2": self = .family(.ipv6)
        case "ALL": self = .all
        default:
            throw DecimalNumber.isDigits(argument[...]) ? .unsupportedProtocol : .malformed
        }
    }
}
