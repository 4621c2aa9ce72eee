internal import FTPProtocol
internal import LinuxSystem

/// Addresses, or users, for whom logins failed too often, and that are turned away for a while.
struct Bans<Key: Hashable> {
    /// Keys that are remembered; more cost the memory of those that failed longest ago.
    private static var maximumCount: Int { 16_384 }

    /// When a key is banned, and for how long.
    var settings: BanSettings
    private var records: [Key: Record] = [:]

    private struct Record {
        var failures = 0
        var end: Deadline
        var isBanned = false
    }

    /// Begins without a ban.
    init(_ settings: BanSettings) {
        self.settings = settings
    }

    /// How many keys are remembered.
    var count: Int { records.count }

    private mutating func hold(_ key: Key) -> Bool {
        guard let record = records[key] else { return false }
        if record.end.hasPassed {
            records[key] = nil
            return false
        }
        return record.isBanned
    }

    private mutating func note(_ key: Key) -> Bool {
        guard settings.failures > 0 else { return false }
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

    private mutating func lift(where isMeant: (Key) -> Bool) -> Int {
        var count = 0
        for (key, record) in records where isMeant(key) {
            if record.isBanned, !record.end.hasPassed { count += 1 }
            records[key] = nil
        }
        return count
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

extension Bans<IPAddress> {
    /// Whether clients from `address`, or its ``FTPProtocol/IPAddress/network``, are turned away now.
    mutating func holds(_ address: IPAddress) -> Bool { hold(address.network) }

    /// Counts a failed login.
    ///
    /// - Returns: Whether it was the one that led to a ban.
    mutating func noteFailure(from address: IPAddress) -> Bool { note(address.network) }

    /// Forgets an address, or all of a network.
    ///
    /// - Returns: How many bans are lifted by it.
    mutating func lift(_ network: IPNetwork) -> Int {
        lift { network.covers(networkOfClient: $0) }
    }
}

extension Bans<String> {
    /// Whether `user` is locked out now, in whatever case the name is written.
    mutating func holds(_ user: String) -> Bool { hold(user.lowercased()) }

    /// Counts a failed login, whether there is such a user or not.
    ///
    /// - Returns: Whether it was the one that led to a lock-out.
    mutating func noteFailure(of user: String) -> Bool { note(user.lowercased()) }

    /// Forgets a user.
    ///
    /// - Returns: 1 if the user was locked out, 0 if not.
    mutating func lift(_ user: String) -> Int {
        let key = user.lowercased()
        return lift { $0 == key }
    }
}

extension IPNetwork {
    /// Whether the clients that count as one under `key` are meant.
    func covers(networkOfClient key: IPAddress) -> Bool {
        // An IPv6 address names all of its /64.
        contains(key) || address.network == key
    }
}

/// When an address is turned away (`ban_failures`, `ban_period`, `ban_time`), or a user is locked out
/// (`user_lock_failures`, `user_lock_period`, `user_lock_time`).
package struct BanSettings: Hashable, Sendable {
    /// Failed logins within the period that lead to a ban; 0 for none.
    package var failures: Int
    /// The time within which they count together.
    package var period: Duration
    /// How long a ban lasts.
    package var time: Duration

    /// Creates the defaults for addresses.
    package init() {
        self.init(failures: 20, period: .seconds(600), time: .seconds(600))
    }

    private init(failures: Int, period: Duration, time: Duration) {
        self.failures = failures
        self.period = period
        self.time = time
    }

    /// The defaults for users, of whom none is locked out: whoever knows a name could lock it out.
    package static var users: BanSettings {
        BanSettings(failures: 0, period: .seconds(900), time: .seconds(1800))
    }
}
