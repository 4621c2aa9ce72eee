internal import FTPProtocol
internal import LinuxSystem

/// Turns addresses away that connect too often (`max_connection_rate`).
///
/// Counts by the minute and by ``FTPProtocol/IPAddress/network``.
struct ConnectionRates {
    /// Addresses that are remembered; more cost the memory of those that connected least.
    private static let maximumCount = 16_384

    /// Connections a minute from one address; 0 for any number.
    var maximum: Int
    private let period: Duration
    private var records: [IPAddress: Record] = [:]
    private var end: Deadline
    private var nextNumber: UInt64 = 0

    private struct Record {
        var count = 0
        /// The higher, the later it began.
        let number: UInt64
    }

    /// Begins to count; `maximum` connections a period, 0 for any number.
    init(maximum: Int, period: Duration = .seconds(60)) {
        self.maximum = maximum
        self.period = period
        end = Deadline(after: period)
    }

    /// How many addresses are remembered.
    var count: Int { records.count }

    /// Counts a connection.
    ///
    /// - Returns: Whether it is one too many.
    mutating func isTooMany(from address: IPAddress) -> Bool {
        guard maximum > 0 else { return false }
        if end.hasPassed {
            records = [:]
            end = Deadline(after: period)
        }
        let key = address.network
        if records[key] == nil, records.count >= Self.maximumCount { makeRoom() }
        nextNumber &+= 1
        var record = records[key] ?? Record(number: nextNumber)
        record.count += 1
        records[key] = record
        return record.count > maximum
    }

    /// Forgets those that connected least, and of those the first: addresses without end make none
    /// forgotten that has connected often.
    private mutating func makeRoom() {
        let ordered = records.sorted {
            ($0.value.count, $0.value.number) < ($1.value.count, $1.value.number)
        }
        for (key, _) in ordered.prefix(Self.maximumCount / 4) { records[key] = nil }
    }
}
