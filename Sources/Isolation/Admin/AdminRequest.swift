package import FTPProtocol
internal import LinuxSystem

/// What is asked over the admin socket, and what the Clerk asks the Listener.
///
/// Both read it as what it may be: the words of somebody who means harm.
package enum AdminRequest: Hashable, Sendable {
    /// Name the sessions whose processes have higher numbers than this one, as many as fit.
    case sessions(after: UInt32)
    /// End sessions; `user` is the id of who asked, as the Clerk knows it.
    case kick(AdminTarget, user: UInt32)
    /// Let in again who is kept out after failed logins; `user` as above.
    case unlock(AdminTarget, user: UInt32)
    /// Read the configuration anew; `user` is the id of who asked, as the Clerk knows it.
    case reload(user: UInt32)
    /// Tell how the server is.
    case status
    /// Hand over the page of the session of this process; for the Clerk alone.
    case page(UInt32)

    /// What both ends have to agree on; a server and a tool of different versions may meet.
    static let version: UInt8 = 1

    private enum Tag: UInt8 {
        case sessions = 1
        case kick
        case reload
        case status
        case page
        case unlock
    }

    private var tag: Tag {
        switch self {
        case .sessions: .sessions
        case .kick: .kick
        case .reload: .reload
        case .status: .status
        case .page: .page
        case .unlock: .unlock
        }
    }

    /// The message.
    package var encoded: [UInt8] {
        var writer = MessageWriter(tag: tag.rawValue)
        writer.put(Self.version)
        switch self {
        case .sessions(let process), .page(let process): writer.put(process)
        case .kick(let target, let user), .unlock(let target, let user):
            writer.put(target)
            writer.put(user)
        case .reload(let user): writer.put(user)
        case .status: break
        }
        return writer.bytes
    }

    /// Reads one whole message.
    ///
    /// - Throws: ``LinuxSystem/MessageError``; `outOfTurn` for one of another version.
    init(decoding message: [UInt8]) throws(MessageError) {
        var reader = try MessageReader(message)
        guard let tag = Tag(rawValue: reader.tag) else { throw .unknownTag(reader.tag) }
        guard try reader.take(UInt8.self) == Self.version else { throw .outOfTurn }
        switch tag {
        case .sessions: self = .sessions(after: try reader.take())
        case .kick:
            let target = try reader.takeTarget()
            self = .kick(target, user: try reader.take())
        case .reload: self = .reload(user: try reader.take())
        case .status: self = .status
        case .page: self = .page(try reader.take())
        case .unlock:
            let target = try reader.takeTarget()
            self = .unlock(target, user: try reader.take())
        }
        try reader.finish()
    }
}

/// Which sessions, or who, is meant.
package enum AdminTarget: Hashable, Sendable {
    /// The one that the log calls this.
    case session(String)
    /// Those of a user.
    case user(String)
    /// Those from an address, or a network.
    case network(IPNetwork)

    /// The longest name, in bytes.
    static let maximumByteCount = 256

    /// The target in words.
    var words: String {
        switch self {
        case .session(let identifier): "session \(identifier)"
        case .user(let name): "user \(name)"
        case .network(let network): "address \(network.address)/\(network.prefixLength)"
        }
    }
}

extension MessageWriter {
    /// Appends a target.
    fileprivate mutating func put(_ target: AdminTarget) {
        switch target {
        case .session(let identifier):
            put(UInt8(1))
            put(identifier)
        case .user(let name):
            put(UInt8(2))
            put(name)
        case .network(let network):
            put(UInt8(3))
            put("\(network.address)/\(network.prefixLength)")
        }
    }
}

extension MessageReader {
    /// Takes a target.
    fileprivate mutating func takeTarget() throws(MessageError) -> AdminTarget {
        let kind = try take(UInt8.self)
        let text = try takeString(maximum: AdminTarget.maximumByteCount)
        switch kind {
        case 1: return .session(text)
        case 2: return .user(text)
        case 3:
            guard let network = IPNetwork(text) else { throw .invalidValue }
            return .network(network)
        default: throw .invalidValue
        }
    }
}
