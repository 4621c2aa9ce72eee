/// A report as a list of tables, whatever they are written as.
struct AuditPage {
    /// One table.
    struct Table {
        /// Rows that are shown; more are counted.
        static let maximumRowCount = 100

        let title: String
        let columns: [String]
        var rows: [[String]]
        /// What a chart shows of each row, if there is one: one number for each colour.
        var bars: [[Double]] = []
        /// What the colours stand for.
        var legend: [String] = []
        /// What is said where there are no rows.
        var absence = "none"

        /// Counts of one kind, the largest first.
        static func counts(_ title: String, _ name: String, _ counts: [String: Int]) -> Table {
            let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            var table = Table(
                title: title,
                columns: [name, "count"],
                rows: sorted.map { [$0.key, "\($0.value)"] }
            )
            table.bars = sorted.map { [Double($0.value)] }
            return table
        }
    }

    let title: String
    let lines: [String]
    let tables: [Table]

    /// Makes the page of a period.
    init(_ tally: AuditTally, period: String, files: [String], isIntact: Bool) {
        title = "Audit trail: \(period)"
        lines = [
            isIntact
                ? "The trail is intact: no record was altered, removed, inserted or reordered."
                : "THE TRAIL IS BROKEN: it is not what the server has written.",
            "\(tally.recordCount) records"
                + (tally.firstTime.map { ", from \($0) to \(tally.lastTime ?? "")" } ?? ""),
        ]
        var chain = Table(title: "Files and what was found in them", columns: ["finding"], rows: [])
        chain.rows = files.map { [$0] }
        tables = [
            chain, .counts("Logins", "result", tally.logins), .transfers(tally), .users(tally),
            .addresses(tally), .counts("TLS versions of logins", "version", tally.versions),
            .counts("Suites of logins", "suite", tally.suites),
            .counts("Key exchange of logins", "group", tally.groups),
            .counts("Data connections: what bound them", "proof", tally.proofs),
            .counts("Data connections: protection", "version", tally.dataVersions),
            .counts("Refusals and failures", "reason", tally.refusals),
            Table(
                title: "Logins without TLS",
                columns: ["time", "user", "address"],
                rows: tally.clearLogins
            ),
            Table(
                title: "The server: starts, reloads, gaps",
                columns: ["time", "event", "result"],
                rows: tally.incidents
            ),
        ]
    }
}

extension AuditPage.Table {
    fileprivate static func transfers(_ tally: AuditTally) -> Self {
        let days = tally.days.sorted { $0.key < $1.key }
        return Self(
            title: "Transfers by day",
            columns: ["day", "files read", "bytes read", "files written", "bytes written"],
            rows: days.map { day, sum in
                [
                    day, "\(sum.readCount)", "\(sum.readByteCount)", "\(sum.writtenCount)",
                    "\(sum.writtenByteCount)",
                ]
            },
            bars: days.map { [Double($0.value.readByteCount), Double($0.value.writtenByteCount)] },
            legend: ["bytes read", "bytes written"]
        )
    }

    fileprivate static func users(_ tally: AuditTally) -> Self {
        let users = tally.users.sorted { $0.key < $1.key }
        return Self(
            title: "Users",
            columns: [
                "user", "logins", "refused", "files read", "bytes read", "files written",
                "bytes written", "changes", "failures",
            ],
            rows: users.map { name, user in
                [name]
                    + [user.logins, user.refusedLogins, user.readCount].map { "\($0)" }
                    + ["\(user.readByteCount)", "\(user.writtenCount)", "\(user.writtenByteCount)"]
                    + [user.changes, user.failures].map { "\($0)" }
            }
        )
    }

    fileprivate static func addresses(_ tally: AuditTally) -> Self {
        let addresses = tally.addresses.sorted {
            ($1.value.logins, $0.key) < ($0.value.logins, $1.key)
        }
        return Self(
            title: "Addresses",
            columns: ["address", "connections", "logins", "refused"],
            rows: addresses.map { address, sum in
                [address] + [sum.connections, sum.logins, sum.refused].map { "\($0)" }
            }
        )
    }
}
