/// A range of addresses in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3).
package struct IPNetwork: Hashable, Sendable {
    /// The first address, whose bits behind the prefix are 0.
    package let address: IPAddress

    /// How many leading bits an address has in common with the network.
    package let prefixLength: Int

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or a single address.
    ///
    /// Strict, because what is read here decides who may do what: bits behind the prefix have to be
    /// 0, since `192.0.2.17/24` could mean one host as well as all of them. An IPv4-mapped network
    /// is the IPv4 network it maps.
    package init?(_ text: String) {
        let parts = text.utf8.split(
            separator: UInt8(ascii: "/"),
            maxSplits: 2,
            omittingEmptySubsequences: false
        )
        guard let first = parts.first, parts.count <= 2,
            let address = IPAddress(String(decoding: first, as: UTF8.self))
        else { return nil }
        let width = address.family == .ipv4 ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard parts[1].count <= 3, let number = DecimalNumber.parse(parts[1]), number <= width
            else { return nil }
            length = Int(number)
        }
        if address != address.unmapped {
            guard length >= 96 else { return nil }
            length -= 96
        }
        guard address.unmapped.masked(to: length) == address.unmapped else { return nil }
        self.address = address.unmapped
        prefixLength = length
    }

    /// Whether `address` lies in the network; an IPv4-mapped address counts as what it maps.
    package func contains(_ address: IPAddress) -> Bool {
        let address = address.unmapped
        return address.family == self.address.family
            && address.masked(to: prefixLength) == self.address
    }
}

extension [IPNetwork] {
    /// Whether `address` lies in any of the networks.
    package func contain(_ address: IPAddress) -> Bool {
        contains { $0.contains(address) }
    }
}

extension IPAddress {
    /// The address with everything but the first `length` bits set to 0.
    ///
    /// - Parameter length: At most 32 or 128, by the family.
    /// - Returns: The first address of the network.
    fileprivate func masked(to length: Int) -> IPAddress {
        // Shifting by the whole width gives 0, as it has to.
        switch self {
        case .v4(let value):
            .v4(value & (UInt32.max << (32 - length)))
        case .v6(let high, let low):
            .v6(
                high: high & (UInt64.max << max(0, 64 - length)),
                low: low & (UInt64.max << min(64, 128 - length))
            )
        }
    }
}
