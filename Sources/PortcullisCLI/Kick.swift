internal import ArgumentParser
internal import FTPProtocol
internal import Isolation

/// `portcullis kick`.
struct Kick: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End sessions of a server that runs.",
        discussion: """
            Clients are told 421, at once and in the middle of a transfer too; an upload is incomplete \
            then. Status 1 if there is no such session, 69 if no server answers, and 77 if it does not \
            answer you.
            """
    )

    @OptionGroup var connection: AdminConnection

    @Argument(help: "A session, by the name that `portcullis who` and the log give it.")
    var session: String?

    @Option(help: "Every session of this user.")
    var user: String?

    @Option(help: "Every session from this address, or from this network (192.0.2.0/24).")
    var address: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard [session, user, address].compactMap(\.self).count == 1 else {
            throw ValidationError("Name a session, --user or --address.")
        }
        try AdminConnection.check(name: session ?? user, address: address)
    }

    func run() throws {
        let target: AdminTarget
        if let user {
            target = .user(user)
        } else if let network = address.flatMap(IPNetwork.init) {
            target = .network(network)
        } else {
            target = .session(session ?? "")
        }
        guard case .kicked(let count) = try connection.ask(.kick(target, user: 0)) else {
            throw noServer
        }
        if json {
            show(JSONValue.object([("sessions", .number(Int(count)))]).text)
        } else if count > 0 {
            show(count == 1 ? "1 session ended" : "\(count) sessions ended")
        } else {
            complain("there is no such session")
        }
        guard count > 0 else { throw ExitCode.failure }
    }
}
