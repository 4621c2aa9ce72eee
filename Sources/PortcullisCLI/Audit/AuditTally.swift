/// Sums the records of a period up.
struct AuditTally {
    /// What one user did.
    struct User {
        var logins = 0
        var refusedLogins = 0
        var readCount = 0
        var readByteCount: UInt64 = 0
        var writtenCount = 0
        var writtenByteCount: UInt64 = 0
        var changes = 0
        var failures = 0
    }

    /// What was moved on one day.
    struct Day {
        var readCount = 0
        var readByteCount: UInt64 = 0
        var writtenCount = 0
        var writtenByteCount: UInt64 = 0
    }

    /// What came from one address.
    struct Address {
        var connections = 0
        var logins = 0
        var refused = 0
    }

    private(set) var recordCount = 0
    private(set) var firstTime: String?
    private(set) var lastTime: String?
    private(set) var logins: [String: Int] = [:]
    private(set) var users: [String: User] = [:]
    private(set) var addresses: [String: Address] = [:]
    private(set) var versions: [String: Int] = [:]
    private(set) var suites: [String: Int] = [:]
    private(set) var groups: [String: Int] = [:]
    private(set) var proofs: [String: Int] = [:]
    private(set) var dataVersions: [String: Int] = [:]
    private(set) var days: [String: Day] = [:]
    private(set) var refusals: [String: Int] = [:]
    /// Logins without TLS: when, who, from where.
    private(set) var clearLogins: [[String]] = []
    /// What concerns the server itself: when, what, how it went.
    private(set) var incidents: [[String]] = []

    /// Adds a record.
    mutating func add(_ facts: AuditFacts) {
        recordCount += 1
        firstTime = firstTime ?? facts.time
        // A branch is read behind the file whose records went on beside it.
        lastTime = max(lastTime ?? "", facts.time)
        switch facts.event {
        case "start", "stop", "reload", "kick", "unlock", "gap":
            addIncident(facts)
            return
        case "connect": count(facts) { $0.connections += 1 }
        case "login": addLogin(facts)
        case "refuse": count(facts) { $0.refused += 1 }
        case "open", "seal", "checkpoint", "tls", "logout", "disconnect": break
        default: addAction(facts)
        }
        guard facts.result == "failed" else { return }
        refusals["\(facts.code.map { "\($0) " } ?? "")\(facts.reason ?? "")", default: 0] += 1
    }

    private mutating func addIncident(_ facts: AuditFacts) {
        let count = facts.records.map { "\($0) records" }
        let changed = facts.changed.flatMap { $0.isEmpty ? nil : "changed: \($0)" }
        let restart = facts.restart.map { "takes a restart: \($0)" }
        let administrator = facts.administrator.map { "by uid \($0)" }
        let how = [facts.result, facts.reason, count, facts.which, changed, restart, administrator]
            .compactMap(\.self).joined(separator: ", ")
        incidents.append([facts.time, facts.event, how])
    }

    private mutating func addLogin(_ facts: AuditFacts) {
        let user = facts.user ?? "?"
        guard facts.isDone else {
            logins["refused", default: 0] += 1
            users[user, default: User()].refusedLogins += 1
            count(facts) { $0.refused += 1 }
            return
        }
        logins["by \(facts.method ?? "?")", default: 0] += 1
        users[user, default: User()].logins += 1
        count(facts) { $0.logins += 1 }
        versions[facts.tls?.version ?? "none (in clear)", default: 0] += 1
        guard let tls = facts.tls else {
            clearLogins.append([facts.time, user, facts.client?.address ?? ""])
            return
        }
        suites[tls.suite, default: 0] += 1
        groups[tls.group.isEmpty ? "none" : tls.group, default: 0] += 1
    }

    private mutating func addAction(_ facts: AuditFacts) {
        let bytes = facts.bytes ?? 0
        var user = users[facts.user ?? "?", default: User()]
        var day = days[facts.day, default: Day()]
        if !facts.isDone { user.failures += 1 }
        switch facts.event {
        case "read":
            user.readCount += facts.isDone ? 1 : 0
            day.readCount += facts.isDone ? 1 : 0
            user.readByteCount &+= bytes
            day.readByteCount &+= bytes
        case "write", "append":
            user.writtenCount += facts.isDone ? 1 : 0
            day.writtenCount += facts.isDone ? 1 : 0
            user.writtenByteCount &+= bytes
            day.writtenByteCount &+= bytes
        case "list", "digest", "site": break
        default: user.changes += facts.isDone ? 1 : 0
        }
        users[facts.user ?? "?"] = user
        if facts.event == "read" || facts.event == "write" || facts.event == "append" {
            days[facts.day] = day
        }
        guard let data = facts.data else { return }
        proofs[data.proof, default: 0] += 1
        let version = data.tls.map { "\($0.version)\($0.resumed ? ", resumed" : "")" }
        dataVersions[version ?? "none (in clear)", default: 0] += 1
    }

    private mutating func count(_ facts: AuditFacts, _ body: (inout Address) -> Void) {
        guard let address = facts.client?.address else { return }
        body(&addresses[address, default: Address()])
    }
}
