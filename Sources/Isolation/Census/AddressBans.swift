internal import FTPProtocol
internal import LinuxSystem

/// Addresses whose clients failed to log in too often, and are turned away for a while.
///
/// Counts by ``FTPProtocol/IPAddress/network``.
struct AddressBans {
    /// Addresses that are remembered; more cost the memory of those that failed longest ago.
    private static let maximumCount = 16_384

    private let settings: BanSettings
    private var records: [IPAddress: Record] = [:]

    private struct Record {
        var failures = 0
        var end: Deadline
        var isBanned = false
    }

    /// Begins without a ban.
    init(_ settings: BanSettings) {
        self.settings = settings
    }

    /// How many addresses are remembered.
    var count: Int { records.count }

    /// Whether clients from `address` are turned away now.
    mutating func holds(_ address: IPAddress) -> Bool {
        let key = address.network
        guard let record = records[key] else { return false }
        if record.end.hasPassed {
            records[key] = nil
            return false
        }
        return record.isBanned
    }

    /// Counts a failed login.
    ///
    /// - Returns: Whether it was the one that led to a ban.
    mutating func noteFailure(from address: IPAddress) -> Bool {
        guard settings.failures > 0 else { return false }
        let key = address.network
        if records[key] == nil, records.count >= Self.maximumCount { makeRoom() }
        var record = records[key] ?? Record(end: Deadline(after: settings.period))
        if record.end.hasPassed { record = Record(end: Deadline(after: settings.period)) }
        record.failures += 1
        let isNew = !record.isBanned && record.failures >= settings.failures
        if isNew {
            record.isBanned = true
            record.end = Deadline(after: settings.time)
        }
        records[key] = record
        return isNew
    }

    private mutating func makeRoom() {
        records = records.filter { !$0.value.end.hasPassed }
        guard records.count >= Self.maximumCount else { return }
        // Bans stay as long as anything else can go.
        let ordered = records.sorted {
            ($0.value.isBanned ? 1 : 0, $0.value.end) < ($1.value.isBanned ? 1 : 0, $1.value.end)
        }
        for (key, _) in ordered.prefix(Self.maximumCount / 4) { records[key] = nil }
    }
}

/// When an address is turned away (`ban_failures`, `ban_period`, `ban_time`).
package struct BanSettings: Hashable, Sendable {
    /// Failed logins within the period that lead to a ban; 0 for none.
    package var failures = 20
    /// The time within which they count together.
    package var period: Duration = .seconds(600)
    /// How long a ban lasts.
    package var time: Duration = .seconds(600)

    /// Creates the defaults.
    package init() {}
}
