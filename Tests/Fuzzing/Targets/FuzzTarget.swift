/// What is fed with bytes that somebody else chose, and what has to hold whatever they are.
///
/// The same code replays the inputs of `Corpus` as a test, and finds new ones under libFuzzer
/// (`make fuzz`).
enum FuzzTarget: String, CaseIterable, Sendable {
    /// Lines of a control connection, and their arguments.
    case commands
    /// Paths that a client sends.
    case paths
    /// PORT, EPRT, EPSV, addresses and the PROXY protocol.
    case addresses
    /// Patterns, and the options of LIST.
    case globs
    /// Replies and log lines that quote a client.
    case replies
    /// What an Agent answers, and the listings that are made of it.
    case listings
    /// The bytes of transfers: line ends, MODE Z.
    case transfers
    /// Configuration files.
    case configuration
    /// Files of users.
    case users
    /// Messages of every channel.
    case messages
    /// Handshakes that a Session shows, and what a client names in one.
    case handshakes
    /// What a Session asks the Signer.
    case signer
    /// What Wardens report to the Listener.
    case census
    /// What a Session asks its Warden, in any order.
    case warden
    /// What a Session asks its Agent, in any order.
    case files
    /// What an Agent leaves behind that was killed.
    case journal
    /// What an Agent asks of the desk that gives uploads away.
    case handover
    /// Files that `portcullis audit verify` is shown.
    case audit
    /// A whole session, from the greeting to the end.
    case session

    /// Takes one input.
    ///
    /// - Throws: ``Flaw`` when something did not hold.
    func run(_ input: [UInt8]) throws {
        switch self {
        case .commands: try CommandsTarget.run(input)
        case .paths: try PathsTarget.run(input)
        case .addresses: try AddressesTarget.run(input)
        case .globs: try GlobsTarget.run(input)
        case .replies: try RepliesTarget.run(input)
        case .listings: try ListingsTarget.run(input)
        case .transfers: try TransfersTarget.run(input)
        case .configuration: try ConfigurationTarget.run(input)
        case .users: try UsersTarget.run(input)
        case .messages: try MessagesTarget.run(input)
        case .handshakes: try HandshakesTarget.run(input)
        case .signer: try SignerTarget.run(input)
        case .census: try CensusTarget.run(input)
        case .warden: try WardenTarget.run(input)
        case .files: try FilesTarget.run(input)
        case .journal: try JournalTarget.run(input)
        case .handover: try HandoverTarget.run(input)
        case .audit: try AuditTarget.run(input)
        case .session: try SessionTarget.run(input)
        }
    }
}

/// Something that has to hold did not.
struct Flaw: Error, CustomStringConvertible {
    let description: String
}

/// Holds `condition` to be true.
func claim(_ condition: Bool, _ text: @autoclosure () -> String) throws(Flaw) {
    guard condition else { throw Flaw(description: text()) }
}
