internal import FTPProtocol
internal import LinuxSystem

/// Turns addresses away that connect too often (`max_connection_rate`).
///
/// Counts by the minute and by ``FTPProtocol/IPAddress/network``.
struct ConnectionRates {
    /// Addresses that are remembered; beyond it everything is forgotten, which costs a flood of
    /// addresses nothing and spares everybody else the memory.
    private static let maximumCount = 16_384

    private let maximum: Int
    private let period: Duration
    private var counts: [IPAddress: Int] = [:]
    private var end: Deadline

    /// Begins to count; `maximum` connections a period, 0 for any number.
    init(maximum: Int, period: Duration = .seconds(60)) {
        self.maximum = maximum
        self.period = period
        end = Deadline(after: period)
    }

    /// How many addresses are remembered.
    var count: Int { counts.count }

    /// Counts a connection.
    ///
    /// - Returns: Whether it is one too many.
    mutating func isTooMany(from address: IPAddress) -> Bool {
        guard maximum > 0 else { return false }
        if end.hasPassed || counts.count >= Self.maximumCount {
            counts = [:]
            end = Deadline(after: period)
        }
        let key = address.network
        counts[key, default: 0] += 1
        return counts[key, default: 0] > maximum
    }
}
