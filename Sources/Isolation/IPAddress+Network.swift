internal import FTPProtocol

extension IPAddress {
    /// What one client usually owns: an IPv4 address, or the first 64 bits of an IPv6 address.
    ///
    /// Limits per address count by it.
    var network: IPAddress {
        switch unmapped {
        case .v4(let number): .v4(number)
        case .v6(let high, _): .v6(high: high, low: 0)
        }
    }

    /// What one customer may own: an IPv4 address, or the first 48 bits of an IPv6 address.
    var site: IPAddress {
        switch network {
        case .v4(let number): .v4(number)
        case .v6(let high, _): .v6(high: high & ~0xFFFF, low: 0)
        }
    }
}
