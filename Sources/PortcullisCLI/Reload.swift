internal import ArgumentParser
internal import Isolation

/// `portcullis reload`.
struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have a server that runs read its configuration and certificates anew.",
        discussion: """
            As SIGHUP does, with an answer: what has changed for later sessions, and what takes a restart, \
            or why nothing has changed. Status 1 if something is not in force, 69 if no server answers, and 77 if it does not \
            answer you.
            """
    )

    @OptionGroup var connection: AdminConnection

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        guard case .reloaded(let isDone, let lines) = try connection.ask(.reload(user: 0)) else {
            throw noServer
        }
        if json {
            let answer = JSONValue.object([
                ("done", .boolean(isDone)), ("lines", .array(lines.map(JSONValue.string))),
            ])
            show(answer.text)
        } else {
            for line in lines {
                if isDone { show(line.shown) } else { complain(line.shown) }
            }
        }
        guard isDone else { throw ExitCode.failure }
    }
}
