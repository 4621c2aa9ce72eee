internal import FTPProtocol
internal import LinuxSystem

/// Counts refused logins by address, or by user, for the delays before refusals.
///
/// A success forgives nothing: whoever guesses at a user would else be forgiven by each login of the
/// user. Names count whether such a user exists or not.
struct FailureCounts<Key: Hashable> {
    /// Keys that are remembered; more cost the memory of those that failed least.
    private static var maximumCount: Int { 16_384 }

    /// How long failures count together.
    var period: Duration
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

    /// Forgets what was counted for some keys.
    fileprivate mutating func forget(where isMeant: (Key) -> Bool) {
        records = records.filter { !isMeant($0.key) }
    }

    private mutating func makeRoom() {
        records = records.filter { !$0.value.end.hasPassed }
        guard records.count >= Self.maximumCount else { return }
        // A flood of names that fail once makes none forgotten that failed again and again.
        let ordered = records.sorted {
            ($0.value.failures, $0.value.end) < ($1.value.failures, $1.value.end)
        }
        for (key, _) in ordered.prefix(Self.maximumCount / 4) { records[key] = nil }
    }
}

extension FailureCounts<String> {
    /// Counts a failed login of a user.
    ///
    /// Spellings that differ in case alone count together: many a directory takes them for one name,
    /// and each would else bring guesses that wait for nothing.
    mutating func note(user: String) -> UInt32 { note(user.lowercased()) }

    /// Forgets the failures of a user.
    mutating func forget(user: String) {
        let key = user.lowercased()
        forget { $0 == key }
    }
}

extension FailureCounts<IPAddress> {
    /// Forgets the failures from an address, or from all of a network.
    mutating func forget(_ network: IPNetwork) {
        forget { network.covers(networkOfClient: $0) }
    }
}
