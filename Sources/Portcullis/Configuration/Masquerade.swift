package import FTPProtocol

/// An address of this machine and the one that clients beyond a NAT reach it by
/// (`masquerade_address_map`).
package struct Masquerade: Hashable, Sendable {
    /// Configurations that name more are refused.
    static let maximumCount = 100

    /// The address that the client connected to, as this machine sees it.
    package let local: IPAddress
    /// The address in the reply to PASV.
    package let announced: IPAddress

    /// Reads `LOCAL:ANNOUNCED`, several with commas or blanks between them.
    static func list(_ text: String) throws(OptionValueError) -> [Masquerade] {
        var map: [Masquerade] = []
        for word in OptionValue.words(text) {
            let ends = word.split(separator: ":", omittingEmptySubsequences: false)
                .map { IPAddress(String($0)) }
            guard ends.count == 2, let local = ends[0], let announced = ends[1] else {
                throw OptionValueError(
                    why: "`\(word)` is no pair of IPv4 addresses",
                    mend: "write LOCAL:ANNOUNCED, such as 10.0.0.5:203.0.113.5"
                )
            }
            guard !map.contains(where: { $0.local == local }) else {
                throw OptionValueError(
                    why: "\(local) stands there twice",
                    mend: "name one address for each"
                )
            }
            map.append(Masquerade(local: local, announced: announced))
        }
        guard map.count <= maximumCount else {
            throw OptionValueError(
                why: "there are more than \(maximumCount) addresses",
                mend: "use fewer"
            )
        }
        return map
    }
}

extension Configuration.Passive {
    /// Whether addresses other than the control connection's may open a data connection.
    var takesForeignAddresses: Bool { isPromiscuous || !promiscuousNetworks.isEmpty }

    /// The address in the reply to PASV (RFC 959 section 4.1.2).
    ///
    /// - Parameters:
    ///   - local: The control connection's address on this machine.
    ///   - client: The client's address.
    ///   - general: What `pasv_address` comes to, if it is set and known.
    /// - Returns: What the client should be told; `nil` when nobody knows yet.
    func announcedAddress(
        for local: IPAddress,
        to client: IPAddress,
        general: IPAddress?
    ) -> IPAddress? {
        if localNetworks.contain(client) { return local }
        let known = masquerades.first { $0.local == local }?.announced ?? general
        return known ?? (address == nil ? local : nil)
    }
}
