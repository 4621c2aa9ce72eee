package import FTPProtocol
package import LinuxSystem

/// What is answered over the admin socket, and by the Listener to the Clerk.
package enum AdminAnswer: Hashable, Sendable {
    /// Sessions, and whether there are no more behind them.
    case sessions([LiveSession], isLast: Bool)
    /// So many sessions were told to go.
    case kicked(UInt32)
    /// So many users and addresses are kept out no longer.
    case unlocked(UInt32)
    /// The configuration was read anew, or not, and what there is to say about it.
    case reloaded(isDone: Bool, [String])
    /// How the server is.
    case status(ServerStatus)
    /// The page comes along; for the Clerk alone.
    case page
    /// There is no such page.
    case noPage
    /// Whoever asked may not, or speaks another version.
    case refused(AdminRefusal)

    private enum Tag: UInt8 {
        case sessions = 1
        case kicked
        case reloaded
        case status
        case page
        case noPage
        case refused
        case unlocked
    }

    /// Sessions that fit into one message whatever they say of themselves.
    static let maximumSessionCount = 16
    /// Lines of a reload, and bytes in one.
    static let maximumLineCount = 100
    static let maximumLineByteCount = 400

    /// The message.
    package var encoded: [UInt8] {
        switch self {
        case .sessions(let sessions, let isLast):
            var writer = MessageWriter(tag: Tag.sessions.rawValue)
            let sessions = sessions.prefix(Self.maximumSessionCount)
            writer.put(UInt8(sessions.count))
            for session in sessions { writer.put(session) }
            writer.put(isLast)
            return writer.bytes
        case .kicked(let count):
            var writer = MessageWriter(tag: Tag.kicked.rawValue)
            writer.put(count)
            return writer.bytes
        case .unlocked(let count):
            var writer = MessageWriter(tag: Tag.unlocked.rawValue)
            writer.put(count)
            return writer.bytes
        case .reloaded(let isDone, let lines):
            var writer = MessageWriter(tag: Tag.reloaded.rawValue)
            writer.put(isDone)
            writer.put(lines: lines)
            return writer.bytes
        case .status(let status):
            var writer = MessageWriter(tag: Tag.status.rawValue)
            writer.put(status)
            return writer.bytes
        case .page: return [Tag.page.rawValue]
        case .noPage: return [Tag.noPage.rawValue]
        case .refused(let refusal): return [Tag.refused.rawValue, refusal.rawValue]
        }
    }

    /// Reads one whole message.
    package init(decoding message: [UInt8]) throws(MessageError) {
        var reader = try MessageReader(message)
        guard let tag = Tag(rawValue: reader.tag) else { throw .unknownTag(reader.tag) }
        switch tag {
        case .sessions:
            let count = Int(try reader.take(UInt8.self))
            guard count <= Self.maximumSessionCount else { throw .tooLong(byteCount: count) }
            var sessions: [LiveSession] = []
            for _ in 0..<count { sessions.append(try reader.takeLiveSession()) }
            self = .sessions(sessions, isLast: try reader.takeBool())
        case .kicked: self = .kicked(try reader.take())
        case .unlocked: self = .unlocked(try reader.take())
        case .reloaded:
            let isDone = try reader.takeBool()
            self = .reloaded(isDone: isDone, try reader.takeLines())
        case .status: self = .status(try reader.takeStatus())
        case .page: self = .page
        case .noPage: self = .noPage
        case .refused:
            guard let refusal = AdminRefusal(rawValue: try reader.take()) else {
                throw .invalidValue
            }
            self = .refused(refusal)
        }
        try reader.finish()
    }
}

/// Why nothing was done.
package enum AdminRefusal: UInt8, Hashable, Sendable {
    /// Only root and the members of `admin_group` may ask.
    case forbidden = 1
    /// The question makes no sense to this server, whose version may be another one.
    case notUnderstood
}

/// One session, for `portcullis who`.
package struct LiveSession: Hashable, Sendable {
    /// The process that decides for it.
    package var process: UInt32
    /// The name that the log gives it.
    package var identifier: String
    /// The client.
    package var address: IPAddress
    /// Who has logged in; `nil` before.
    package var user: String?
    /// When the client connected, in seconds since 1970.
    package var connected: Int64
    /// When the user logged in, in seconds since 1970; 0 before.
    package var since: Int64
    /// Whether it was told to go.
    package var isLeaving: Bool
    /// What it says of itself, if that could be read.
    package var claim: SessionClaim?
}

extension MessageWriter {
    /// Appends a session.
    fileprivate mutating func put(_ session: LiveSession) {
        put(session.process)
        put(session.identifier)
        put(session.address)
        put(session.user != nil)
        put(session.user ?? "")
        put(session.connected)
        put(session.since)
        put(session.isLeaving)
        put(session.claim != nil)
        guard let claim = session.claim else { return }
        put(claim.command)
        put(claim.path)
        put(claim.tls)
        put(claim.byteCount)
        put(claim.expectedByteCount ?? -1)
        put(claim.transferMilliseconds)
        put(claim.idleMilliseconds)
    }

    /// Appends lines behind their count.
    mutating func put(lines: [String]) {
        let lines = lines.prefix(AdminAnswer.maximumLineCount)
        put(UInt8(lines.count))
        for line in lines {
            put(line.cut(toByteCount: AdminAnswer.maximumLineByteCount))
        }
    }
}

extension MessageReader {
    /// Takes a session.
    fileprivate mutating func takeLiveSession() throws(MessageError) -> LiveSession {
        let process = try take(UInt32.self)
        let identifier = try takeString(maximum: 32)
        let address = try takeAddress()
        let hasUser = try takeBool()
        let user = try takeString(maximum: CensusReport.maximumUserByteCount)
        var session = LiveSession(
            process: process,
            identifier: identifier,
            address: address,
            user: hasUser ? user : nil,
            connected: try take(),
            since: try take(),
            isLeaving: try takeBool()
        )
        guard try takeBool() else { return session }
        // What is no UTF-8 has been replaced by three bytes.
        var claim = SessionClaim()
        claim.command = try takeString(maximum: 3 * SessionClaim.maximumCommandByteCount)
        claim.path = try takeString(maximum: 3 * SessionClaim.maximumPathByteCount)
        claim.tls = try takeString(maximum: 3 * SessionClaim.maximumTLSByteCount)
        claim.byteCount = try take()
        let expected = try take(Int64.self)
        claim.expectedByteCount = expected < 0 ? nil : expected
        claim.transferMilliseconds = try take()
        claim.idleMilliseconds = try take()
        session.claim = claim
        return session
    }

    /// Takes lines, at most `maximum`.
    mutating func takeLines(
        maximum: Int = AdminAnswer.maximumLineCount
    ) throws(MessageError) -> [String] {
        let count = Int(try take(UInt8.self))
        guard count <= maximum else { throw .tooLong(byteCount: count) }
        var lines: [String] = []
        for _ in 0..<count {
            lines.append(try takeString(maximum: AdminAnswer.maximumLineByteCount))
        }
        return lines
    }
}
