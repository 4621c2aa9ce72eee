package import FTPProtocol

/// An IPv6 address, with the interface that it belongs to where only that makes it one host's
/// (RFC 4007 section 11): `fe80::1%eth0`.
package struct ZonedAddress: Hashable, Sendable, CustomStringConvertible {
    /// The longest name of an interface, in bytes (`IFNAMSIZ`).
    private static let maximumZoneByteCount = 15

    /// The address.
    package let address: IPAddress

    /// The interface of a link-local address, by name or number.
    package let zone: String?

    /// What ``read(_:)`` reads.
    package var description: String { zone.map { "\(address)%\($0)" } ?? "\(address)" }

    /// Reads `ADDRESS` or `ADDRESS%INTERFACE`.
    static func read(_ text: String) throws(OptionValueError) -> ZonedAddress {
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress(String($0)) }), case .v6 = address
        else {
            throw OptionValueError(
                why: "the value is not an IPv6 address",
                mend: "write an address such as 2001:db8::1, or use listen_address"
            )
        }
        let zone = parts.count > 1 ? String(parts[1]) : nil
        // The same on every link, so that bind(2) asks for the interface.
        guard address.isLinkLocal == (zone != nil) else {
            throw OptionValueError(
                why: zone == nil
                    ? "a link-local address is the same on every interface"
                    : "only a link-local address belongs to an interface",
                mend: zone == nil
                    ? "write the interface behind it: \(address)%eth0" : "write \(address) alone"
            )
        }
        guard zone.map(isInterface) ?? true else {
            throw OptionValueError(
                why: "what stands behind % is no interface",
                mend: "write its name or number: \(address)%eth0"
            )
        }
        return ZonedAddress(address: address, zone: zone)
    }

    private static func isInterface(_ name: String) -> Bool {
        (1...maximumZoneByteCount).contains(name.utf8.count)
            && name.utf8.allSatisfy { (33...126).contains($0) && $0 != UInt8(ascii: "/") }
    }
}
