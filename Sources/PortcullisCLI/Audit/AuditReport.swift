internal import ArgumentParser
internal import Isolation
internal import Portcullis

/// `portcullis audit report`.
struct AuditReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Sum a period of the audit trail up, for somebody else to read.",
        discussion: """
            Checks the files as verify does, and says what was found. Status 0, or 1 if the trail is \
            broken. Times are UTC, and both ends of the period belong to it: 2026-11, 2026-11-21 and \
            2026-11-21T23:41 each stand for the whole month, day or minute.
            """
    )

    @Argument(
        help: "The file that audit_log_file names, those that it was rotated to, and its branches."
    )
    var files: [String]

    @Option(help: "Leave out what was before this.")
    var from: String?

    @Option(help: "Leave out what was after this.")
    var to: String?

    @Flag(help: "One HTML page with charts, which loads nothing from elsewhere.")
    var html = false

    func validate() throws {
        for time in [from, to].compactMap(\.self) {
            let pattern = "0000-00-00T00:00:00.000000Z"
            let isTime =
                (4...pattern.count).contains(time.count)
                && zip(time, pattern).allSatisfy { given, wanted in
                    wanted == "0" ? ("0"..."9").contains(given) : given == wanted
                }
            guard isTime else {
                throw ValidationError("\(time) is no time such as 2026-11-21 or 2026-11-21T23:41.")
            }
        }
    }

    func run() throws {
        var tally = AuditTally()
        let verifier = try AuditFiles(files).verify(mustBeSealed: false) { record, line in
            guard from.map({ record.time >= $0 }) ?? true,
                to.map({ record.time.prefix($0.count) <= $0 }) ?? true,
                let facts = AuditFacts(line: line)
            else { return }
            tally.add(facts)
        }
        let period =
            switch (from, to) {
            case (let from?, let to?): from == to ? from : "\(from) to \(to)"
            case (let from?, nil): "since \(from)"
            case (nil, let to?): "until \(to)"
            case (nil, nil): "all records"
            }
        let page = AuditPage(
            tally,
            period: period,
            files: Array(verifier.lines.dropLast()),
            isIntact: verifier.isIntact
        )
        show(html ? page.html : page.text)
        guard verifier.isIntact else { throw ExitCode(1) }
    }
}
