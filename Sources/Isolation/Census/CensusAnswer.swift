package import FTPProtocol
internal import LinuxSystem

/// What the Listener tells a Warden.
enum CensusAnswer: Hashable {
    /// The user may log in.
    case admitted
    /// No password logs the user in for a while.
    case locked
    /// The user has as many sessions as allowed.
    case full
    /// The same, and one of them comes from the network of this one.
    case fullNearby
    /// The client is turned away.
    case refused(ClientRefusal)
    /// A login was refused, as were so many of late in the user's name or from the address.
    case failures(UInt32)
    /// The page comes along.
    case page
    /// There is no page, for want of memory or because nobody is logged in.
    case noPage
    /// The sessions of the user.
    case sessions([SessionEntry])

    private enum Tag: UInt8 {
        case admitted = 1
        case full
        case page
        case noPage
        case sessions
        case refused
        case failures
        case fullNearby
        case locked
    }

    /// Sessions that one answer names; more are left out.
    static let maximumSessionCount = 500

    /// The message.
    var encoded: [UInt8] {
        switch self {
        case .admitted: return [Tag.admitted.rawValue]
        case .locked: return [Tag.locked.rawValue]
        case .full: return [Tag.full.rawValue]
        case .fullNearby: return [Tag.fullNearby.rawValue]
        case .refused(let refusal): return [Tag.refused.rawValue, refusal.rawValue]
        case .failures(let count):
            var writer = MessageWriter(tag: Tag.failures.rawValue)
            writer.put(count)
            return writer.bytes
        case .page: return [Tag.page.rawValue]
        case .noPage: return [Tag.noPage.rawValue]
        case .sessions(let entries):
            var writer = MessageWriter(tag: Tag.sessions.rawValue)
            writer.put(entries)
            return writer.bytes
        }
    }

    /// Reads one whole message.
    init(decoding message: [UInt8]) throws(MessageError) {
        var reader = try MessageReader(message)
        guard let tag = Tag(rawValue: reader.tag) else { throw .unknownTag(reader.tag) }
        switch tag {
        case .admitted: self = .admitted
        case .locked: self = .locked
        case .full: self = .full
        case .fullNearby: self = .fullNearby
        case .refused:
            guard let refusal = ClientRefusal(rawValue: try reader.take()) else {
                throw .invalidValue
            }
            self = .refused(refusal)
        case .failures: self = .failures(try reader.take())
        case .page: self = .page
        case .noPage: self = .noPage
        case .sessions: self = .sessions(try reader.takeSessions())
        }
        try reader.finish()
    }
}

/// One session of a user, for SITE WHO.
package struct SessionEntry: Hashable, Sendable {
    /// The name that the log gives it.
    package let identifier: String

    /// The client.
    package let address: IPAddress

    /// When the user logged in, in seconds since 1970.
    package let since: Int64

    /// Describes a session.
    package init(identifier: String, address: IPAddress, since: Int64) {
        self.identifier = identifier
        self.address = address
        self.since = since
    }
}

extension MessageWriter {
    /// Appends sessions behind their count.
    mutating func put(_ entries: [SessionEntry]) {
        let entries = entries.prefix(CensusAnswer.maximumSessionCount)
        put(UInt16(entries.count))
        for entry in entries {
            put(entry.identifier)
            put(entry.address)
            put(entry.since)
        }
    }
}

extension MessageReader {
    /// Takes sessions.
    mutating func takeSessions() throws(MessageError) -> [SessionEntry] {
        let count = Int(try take(UInt16.self))
        guard count <= CensusAnswer.maximumSessionCount else { throw .tooLong(byteCount: count) }
        var entries: [SessionEntry] = []
        for _ in 0..<count {
            let identifier = try takeString(maximum: 32)
            let address = try takeAddress()
            let since = try take(Int64.self)
            entries.append(
                SessionEntry(identifier: identifier, address: address, since: since)
            )
        }
        return entries
    }
}
