internal import FTPProtocol

/// Counts sessions, in all and per address (`max_clients`, `max_per_ip`).
struct AddressCounter {
    private let maximum: Int
    private let maximumPerAddress: Int
    /// `nil` for a client behind a proxy that has yet to name it.
    private var addresses: [CInt: IPAddress?] = [:]
    private var counts: [IPAddress: Int] = [:]

    /// Creates a counter; 0 means no limit.
    init(maximum: Int, maximumPerAddress: Int) {
        self.maximum = maximum
        self.maximumPerAddress = maximumPerAddress
    }

    /// Sessions that go on now.
    var processes: [CInt] { [CInt](addresses.keys) }

    /// Whether no session goes on.
    var isEmpty: Bool { addresses.isEmpty }

    /// Why one more session from `address` is refused, or `nil`; `address` is `nil` where a proxy has
    /// yet to tell it.
    func refusal(of address: IPAddress?) -> ClientRefusal? {
        if maximum > 0, addresses.count >= maximum { return .tooManyClients }
        return address.map(isFull) == true ? .tooManyFromAddress : nil
    }

    /// Whether there are as many sessions from `address` as there may be.
    func isFull(_ address: IPAddress) -> Bool {
        maximumPerAddress > 0 && counts[address.network, default: 0] >= maximumPerAddress
    }

    /// Counts a session; `address` is `nil` where a proxy has yet to tell it.
    mutating func add(_ process: CInt, from address: IPAddress?) {
        remove(process)
        addresses[process] = .some(address?.network)
        if let address { counts[address.network, default: 0] += 1 }
    }

    /// Forgets a session that ended.
    mutating func remove(_ process: CInt) {
        guard let address = addresses.removeValue(forKey: process) ?? nil else { return }
        let count = counts[address, default: 1] - 1
        counts[address] = count > 0 ? count : nil
    }
}
