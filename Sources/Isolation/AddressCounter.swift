internal import FTPProtocol

/// Counts sessions, in all and per address (`max_clients`, `max_per_ip`).
///
/// Connections of proxies that have named no client (yet) are no sessions: they may be health checks,
/// which a full server answers as well.
struct AddressCounter {
    /// Connections without a client that there may be where as many clients as allowed are in.
    static let reserve = 128

    private var maximum: Int
    private var maximumPerAddress: Int
    private var addresses: [CInt: IPAddress] = [:]
    private var unnamed: Set<CInt> = []
    private var counts: [IPAddress: Int] = [:]

    /// Creates a counter; 0 means no limit.
    init(maximum: Int, maximumPerAddress: Int) {
        self.maximum = maximum
        self.maximumPerAddress = maximumPerAddress
    }

    /// Sets other limits; whoever is counted stays.
    mutating func setLimits(_ maximum: Int, perAddress maximumPerAddress: Int) {
        self.maximum = maximum
        self.maximumPerAddress = maximumPerAddress
    }

    /// Processes of the connections that there are now, with a client or without.
    var processes: [CInt] { [CInt](addresses.keys) + unnamed }

    /// Whether there is no connection.
    var isEmpty: Bool { addresses.isEmpty && unnamed.isEmpty }

    /// Whether this is the process of a session.
    func contains(_ process: CInt) -> Bool {
        addresses.keys.contains(process) || unnamed.contains(process)
    }

    /// Why one more session from `address` is refused, or `nil`.
    ///
    /// `leaving` is how many of those that are counted have been told to go.
    func refusal(of address: IPAddress, leaving: Int = 0) -> ClientRefusal? {
        if maximum > 0, addresses.count - leaving >= maximum { return .tooManyClients }
        return isFull(address) ? .tooManyFromAddress : nil
    }

    /// Whether there are as many sessions from `address` as there may be.
    func isFull(_ address: IPAddress) -> Bool {
        maximumPerAddress > 0 && counts[address.network, default: 0] >= maximumPerAddress
    }

    /// Why one more connection of a proxy is refused before it has named a client, or `nil`.
    func refusalOfUnnamed() -> ClientRefusal? {
        guard maximum > 0, addresses.count + unnamed.count >= maximum + Self.reserve else {
            return nil
        }
        return .tooManyUnnamed
    }

    /// Counts a session.
    mutating func add(_ process: CInt, from address: IPAddress) {
        remove(process)
        addresses[process] = address.network
        counts[address.network, default: 0] += 1
    }

    /// Counts a connection of a proxy, until ``add(_:from:)`` tells its client.
    mutating func addUnnamed(_ process: CInt) {
        remove(process)
        unnamed.insert(process)
    }

    /// Forgets a connection that ended.
    mutating func remove(_ process: CInt) {
        unnamed.remove(process)
        guard let address = addresses.removeValue(forKey: process) else { return }
        let count = counts[address, default: 1] - 1
        counts[address] = count > 0 ? count : nil
    }
}
