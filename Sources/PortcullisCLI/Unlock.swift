internal import ArgumentParser
internal import FTPProtocol
internal import Isolation

/// `portcullis unlock`.
struct Unlock: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let in again who is kept out after failed logins.",
        discussion: """
            Lifts the lock-out of a user (user_lock_failures), or the ban of an address or of all in a \
            network (ban_failures), and forgets their failures. Status 1 if nobody was kept out, 69 if \
            no server answers, and 77 if it does not answer you.
            """
    )

    @OptionGroup var connection: AdminConnection

    @Option(help: "This user.")
    var user: String?

    @Option(help: "This address, or every one in this network (192.0.2.0/24).")
    var address: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard [user, address].compactMap(\.self).count == 1 else {
            throw ValidationError("Name --user or --address.")
        }
        try AdminConnection.check(name: user, address: address)
    }

    func run() throws {
        let target = address.flatMap(IPNetwork.init).map { AdminTarget.network($0) }
        let request = AdminRequest.unlock(target ?? .user(user ?? ""), user: 0)
        guard case .unlocked(let count) = try connection.ask(request) else { throw noServer }
        if json {
            show(JSONValue.object([("unlocked", .number(Int(count)))]).text)
        } else if count > 0 {
            show("\(count) kept out no longer")
        } else {
            complain("nobody was kept out by that")
        }
        guard count > 0 else { throw ExitCode.failure }
    }
}
