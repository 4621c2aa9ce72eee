internal import FTPProtocol

/// Counts sessions, in all and per address (`max_clients`, `max_per_ip`).
struct AddressCounter {
    private let maximum: Int
    private let maximumPerAddress: Int
    private var addresses: [CInt: IPAddress] = [:]
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

    /// Why one more session from `address` is refused, or `nil`.
    func refusal(of address: IPAddress) -> ClientRefusal? {
        if maximum > 0, addresses.count >= maximum { return .tooManyClients }
        if maximumPerAddress > 0, counts[address.network, default: 0] >= maximumPerAddress {
            return .tooManyFromAddress
        }
        return nil
    }

    /// Counts a session.
    mutating func add(_ process: CInt, from address: IPAddress) {
        addresses[process] = address.network
        counts[address.network, default: 0] += 1
    }

    /// Forgets a session that ended.
    mutating func remove(_ process: CInt) {
        guard let address = addresses.removeValue(forKey: process) else { return }
        let count = counts[address, default: 1] - 1
        counts[address] = count > 0 ? count : nil
    }
}

/// Why a client is turned away before its session begins.
enum ClientRefusal: Hashable {
    case tooManyClients
    case tooManyFromAddress
    case banned
    case tooOften
    case tooBusy
    case noResources

    /// What the client is told.
    var reply: Reply {
        switch self {
        case .tooManyClients:
            Reply(421, "There are too many connected users, please try later.")
        case .tooManyFromAddress:
            Reply(421, "There are too many connections from your internet address.")
        case .banned:
            Reply(421, "Too many failed logins from your internet address, please try later.")
        case .tooOften:
            Reply(421, "Too many connections in a short time, please try later.")
        case .tooBusy:
            Reply(421, "The server is too busy, please try later.")
        case .noResources:
            Reply(421, "Service not available, please try later.")
        }
    }

    /// Text for the log.
    var logText: String {
        switch self {
        case .tooManyClients: "max_clients is reached"
        case .tooManyFromAddress: "max_per_ip is reached"
        case .banned: "banned after failed logins (ban_failures)"
        case .tooOften: "max_connection_rate is reached"
        case .tooBusy: "max_load is reached"
        case .noResources: "no resources"
        }
    }
}
