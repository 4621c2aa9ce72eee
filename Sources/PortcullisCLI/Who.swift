internal import ArgumentParser
internal import FTPProtocol
internal import Isolation
internal import LinuxSystem

/// `portcullis who`.
struct Who: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the sessions of a server that runs.",
        discussion: """
            User and address are what the server knows. TLS, command, file, progress, rate and idle \
            time are what the session's own process says of itself. Status 69 if no server answers, \
            and 77 if it does not answer you.
            """
    )

    @OptionGroup var connection: AdminConnection

    @Flag(help: "Print one JSON object a line.")
    var json = false

    func run() throws {
        let sessions = try connection.ask { (client) throws(AdminFailure) in try client.sessions() }
        if json {
            for session in sessions { show(session.json.text) }
            return
        }
        guard !sessions.isEmpty else {
            show("no sessions")
            return
        }
        showTable(
            ["SESSION", "USER", "ADDRESS", "TLS", "COMMAND", "PROGRESS", "RATE", "IDLE", "FILE"],
            sessions.map(\.row)
        )
    }
}

extension LiveSession {
    /// The cells of a table; whatever comes from a client shows no control character.
    fileprivate var row: [String] {
        let claim = claim ?? SessionClaim()
        let state = isLeaving ? "leaving" : claim.command.isEmpty ? "-" : claim.command.shown
        return [
            identifier.shown, user?.shown ?? "-", "\(address)",
            claim.tls.isEmpty ? "-" : String(claim.tls.prefix { $0 != " " }).shown, state,
            progress, bytesPerSecond.map { "\(byteText($0))/s" } ?? "-",
            secondsText(claim.idleMilliseconds / 1_000),
            claim.path.isEmpty ? "-" : claim.path.shown,
        ]
    }

    private var progress: String {
        guard let claim, claim.transferMilliseconds > 0 else { return "-" }
        guard let expected = claim.expectedByteCount, expected > 0 else {
            return byteText(claim.byteCount)
        }
        let percent = min(1, Double(claim.byteCount) / Double(expected)) * 100
        return "\(Int(percent))% of \(byteText(expected))"
    }

    /// Bytes a second, since the transfer began.
    private var bytesPerSecond: Int64? {
        guard let claim, claim.transferMilliseconds > 0 else { return nil }
        let rate = Double(claim.byteCount) * 1_000 / Double(claim.transferMilliseconds)
        return Int64(exactly: rate.rounded(.down)) ?? .max
    }

    /// The session as one object; what the session says of itself stands in an object of its own.
    fileprivate var json: JSONValue {
        var said: JSONValue = .null
        if let claim {
            let isMoving = claim.transferMilliseconds > 0
            said = .object([
                ("tls", claim.tls.isEmpty ? .null : .string(claim.tls)),
                ("command", claim.command.isEmpty ? .null : .string(claim.command)),
                ("file", claim.path.isEmpty ? .null : .string(claim.path)),
                ("bytes", isMoving ? .number(Int(claim.byteCount)) : .null),
                (
                    "expected_bytes",
                    isMoving ? claim.expectedByteCount.map { .number(Int($0)) } ?? .null : .null
                ),
                ("bytes_per_second", bytesPerSecond.map { .number(Int($0)) } ?? .null),
                ("transfer_ms", isMoving ? .number(Int(claim.transferMilliseconds)) : .null),
                ("idle_ms", .number(Int(claim.idleMilliseconds))),
            ])
        }
        return .object([
            ("session", .string(identifier)),
            ("pid", .number(Int(process))),
            ("user", user.map { .string($0) } ?? .null),
            ("address", .string("\(address)")),
            ("connected", .number(Int(connected))),
            ("logged_in", since > 0 ? .number(Int(since)) : .null),
            ("leaving", .boolean(isLeaving)),
            ("says", said),
        ])
    }
}

extension String {
    /// The text without anything that a terminal would obey.
    var shown: String { LogText.escaped(Array(utf8), maximumByteCount: 1_024, isQuoted: false) }
}
