internal import ArgumentParser
internal import FTPProtocol
internal import Isolation
internal import LinuxSystem

/// `portcullis status`.
struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell how a server that runs is.",
        discussion: "Status 69 if no server answers, and 77 if it does not answer you."
    )

    @OptionGroup var connection: AdminConnection

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        guard case .status(let status) = try connection.ask(.status) else { throw noServer }
        if json {
            show(status.json.text)
        } else {
            for line in status.lines { show(line.shown) }
        }
    }
}

extension ServerStatus {
    fileprivate var lines: [String] {
        let now = secondsSinceEpoch()
        var lines = [
            "version: \(version)", "running: \(secondsText(now - since)), since \(date(since))",
        ]
        lines += listening.map { "listening on: \($0)" }
        lines.append(
            "sessions: \(loggedIn) logged in, \(beforeLogin) before login, \(leaving) leaving"
        )
        lines.append("limits: " + limits.joined(separator: " "))
        lines.append(
            "processes: " + processes.map { "\($0.name) \($0.number)" }.joined(separator: ", ")
        )
        for certificate in certificates {
            let left = certificate.expiry - now
            let text = left < 0 ? "EXPIRED" : "expires in \(secondsText(left))"
            lines.append("certificate: \(certificate.file), \(text), \(date(certificate.expiry))")
        }
        let outcome = hasReloaded ? "done" : "failed"
        lines.append(
            "last reload: " + (lastReload == 0 ? "never" : "\(date(lastReload)), \(outcome)")
        )
        return lines
    }

    fileprivate var json: JSONValue {
        .object([
            ("version", .string(version)),
            ("since", .number(Int(since))),
            ("listening", .array(listening.map { .string($0) })),
            (
                "sessions",
                .object([
                    ("logged_in", .number(Int(loggedIn))),
                    ("before_login", .number(Int(beforeLogin))),
                    ("leaving", .number(Int(leaving))),
                ])
            ),
            (
                "limits",
                .object(
                    limits.compactMap { limit in
                        let parts = limit.split(separator: "=", maxSplits: 1)
                        guard let name = parts.first, let value = parts.last else { return nil }
                        return (String(name), Int(value).map { .number($0) } ?? .null)
                    }
                )
            ),
            (
                "processes",
                .object(processes.map { ($0.name, .number(Int($0.number))) })
            ),
            (
                "certificates",
                .array(
                    certificates.map {
                        .object([("file", .string($0.file)), ("expires", .number(Int($0.expiry)))])
                    }
                )
            ),
            ("last_reload", lastReload == 0 ? .null : .number(Int(lastReload))),
            ("last_reload_done", lastReload == 0 ? .null : .boolean(hasReloaded)),
        ])
    }
}

/// A point in time, in UTC.
private func date(_ seconds: Int64) -> String { "\(Timestamp(seconds: seconds).logDate) UTC" }
