/// An IPv4 or IPv6 address, without scope and without port.
package enum IPAddress: Hashable, Sendable {
    /// An IPv4 address in host order: 127.0.0.1 is `0x7F00_0001`.
    case v4(UInt32)

    /// An IPv6 address, its first eight bytes in `high` and its last eight in `low`.
    case v6(high: UInt64, low: UInt64)

    /// The two kinds of address.
    package enum Family: Hashable, Sendable {
        /// Protocol number 1 of RFC 2428.
        case ipv4

        /// Protocol number 2 of RFC 2428.
        case ipv6
    }

    /// The kind of this address, where an IPv4-mapped one still counts as IPv6.
    package var family: Family {
        switch self {
        case .v4: .ipv4
        case .v6: .ipv6
        }
    }

    /// The address with `::ffff:a.b.c.d` turned into `a.b.c.d` (RFC 4291 section 2.5.5.2).
    ///
    /// A socket that listens for both families reports IPv4 peers in the mapped form. Compare
    /// addresses only after unmapping both.
    package var unmapped: IPAddress {
        guard case .v6(high: 0, let low) = self, low >> 32 == 0xFFFF else { return self }
        return .v4(UInt32(truncatingIfNeeded: low))
    }

    /// Whether the address is 127.0.0.0/8 or `::1`, in mapped form too.
    package var isLoopback: Bool {
        switch unmapped {
        case .v4(let value): value >> 24 == 127
        case .v6(let high, let low): high == 0 && low == 1
        }
    }

    /// Whether the address is 0.0.0.0 or `::`, in mapped form too.
    package var isUnspecified: Bool {
        switch unmapped {
        case .v4(let value): value == 0
        case .v6(let high, let low): high == 0 && low == 0
        }
    }

    /// Whether the address is fe80::/10: the same on every link, so that it takes an interface to
    /// name a host (RFC 4291 section 2.5.6).
    package var isLinkLocal: Bool {
        if case .v6(let high, _) = self { high >> 54 == 0x3FA } else { false }
    }

    /// Whether the address names a group of hosts: multicast (RFC 5771, RFC 4291 section 2.7), or
    /// what IPv4 keeps from 240.0.0.0 on (RFC 1112 section 4), the broadcast address included.
    package var isMulticast: Bool {
        switch unmapped {
        case .v4(let value): value >> 28 >= 0xE
        case .v6(let high, _): high >> 56 == 0xFF
        }
    }

    /// Whether the address is of no use to a peer on the public Internet.
    ///
    /// True for RFC 1918, link-local (RFC 3927, RFC 4291 section 2.5.6), unique local (RFC 4193)
    /// and loopback addresses.
    package var isPrivate: Bool {
        if isLoopback { return true }
        switch unmapped {
        case .v4(let value):
            return value >> 24 == 10  // 10.0.0.0/8
                || value >> 20 == 0xAC1  // 172.16.0.0/12
                || value >> 16 == 0xC0A8  // 192.168.0.0/16
                || value >> 16 == 0xA9FE  // 169.254.0.0/16
        case .v6(let high, _):
            return high >> 57 == 0x7E  // fc00::/7
                || isLinkLocal
        }
    }
}
