internal import LinuxSystem

/// Counts failed logins by address, or by user, for the delays before refusals.
///
/// A success forgives nothing: whoever guesses at a user would else be forgiven by each login of the
/// user. Names count whether such a user exists or not.
struct FailureCounts<Key: Hashable> {
    /// Keys that are remembered; more cost the memory of those that failed first.
    private static var maximumCount: Int { 16_384 }

    private let period: Duration
    private var records: [Key: (failures: UInt32, end: Deadline)] = [:]

    /// Begins to count; failures within `period` of the first one count together.
    init(period: Duration) {
        self.period = period
    }

    /// How many keys are remembered.
    var count: Int { records.count }

    /// Counts a failed login.
    ///
    /// - Returns: How many there were within the period, this one included.
    mutating func note(_ key: Key) -> UInt32 {
        if records[key] == nil, records.count >= Self.maximumCount { makeRoom() }
        var record = records[key] ?? (0, Deadline(after: period))
        if record.end.hasPassed { record = (0, Deadline(after: period)) }
        record.failures = record.failures == .max ? .max : record.failures + 1
        records[key] = record
        return record.failures
    }

    private mutating func makeRoom() {
        records = records.filter { !$0.value.end.hasPassed }
        guard records.count >= Self.maximumCount else { return }
        let ordered = records.sorted { $0.value.end < $1.value.end }
        for (key, _) in ordered.prefix(Self.maximumCount / 4) { records[key] = nil }
    }
}
