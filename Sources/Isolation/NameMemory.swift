internal import FTPProtocol
internal import LinuxSystem

/// The address of the announced name, as look-ups tell it one after the other.
struct NameMemory {
    /// The address to announce; `nil` before any was found.
    private(set) var address: IPAddress?
    private var isLost = false

    /// Starts from an address that was found before.
    init(_ address: IPAddress?) {
        self.address = address
    }

    /// Takes the next answer.
    ///
    /// A name may have several addresses, whose order changes from answer to answer: the one that is
    /// announced stays as long as it is among them.
    ///
    /// - Returns: What is new, for the log.
    mutating func take(_ lookup: HostLookup) -> String? {
        let wasLost = isLost
        switch lookup {
        case .found(let addresses):
            isLost = false
            if let address, addresses.contains(address) {
                return wasLost ? "is \(address) again" : nil
            }
            guard let first = addresses.first else { return nil }
            address = first
            return "is \(first) now"
        case .noAddress, .unavailable:
            isLost = true
            guard !wasLost else { return nil }
            let what = lookup == .noAddress ? "has no address" : "cannot be looked up"
            return address == nil ? "\(what) so far" : "\(what); the old one stays"
        }
    }
}
