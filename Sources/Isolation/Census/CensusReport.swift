internal import FTPProtocol
internal import LinuxSystem

/// What a Warden tells the Listener, the one process that knows of every session.
enum CensusReport: Hashable {
    /// A login of this user is about to be checked; refused when the address is banned
    /// or the user locked out.
    case attempt(user: String)
    /// The check waits for the client, who has been asked for more; the attempt is asked for anew when
    /// it goes on.
    case waiting
    /// A proxy has named the client, which is counted from now on; refused for the reasons for which
    /// a client is turned away.
    case client(IPAddress)
    /// The login that was attempted was refused; counts against the user and the address, and if it was
    /// for want of a proof, towards a ban of the address. Answered with how many were refused.
    case loginRefused(isFailedProof: Bool)
    /// A user is about to log in, who may have `maximum` sessions (0 for any number).
    case login(user: String, maximum: UInt32)
    /// The user has gone, and the session has not.
    case logout
    /// Hand over a page that all sessions share, those of the user or all of them.
    case page(UserPage)
    /// Name the sessions of the user.
    case sessions
    /// A session of the system is about to be opened for a user, to be closed by somebody else if
    /// this process cannot.
    case systemSession(user: String)
    /// The session of the system has been closed.
    case systemSessionClosed
    /// The session is over without a login having been tried, and its process could serve another.
    case free

    /// The longest key of a user, in bytes.
    static let maximumUserByteCount = 256

    private enum Tag: UInt8 {
        case loginRefused = 1
        case login
        case logout
        case page
        case sessions
        case attempt
        case client
        case systemSession
        case systemSessionClosed
        case waiting
        case free
    }

    /// The message.
    var encoded: [UInt8] {
        switch self {
        case .attempt(let user):
            var writer = MessageWriter(tag: Tag.attempt.rawValue)
            writer.put(user)
            return writer.bytes
        case .client(let address):
            var writer = MessageWriter(tag: Tag.client.rawValue)
            writer.put(address)
            return writer.bytes
        case .loginRefused(let isFailedProof):
            var writer = MessageWriter(tag: Tag.loginRefused.rawValue)
            writer.put(isFailedProof)
            return writer.bytes
        case .waiting: return [Tag.waiting.rawValue]
        case .free: return [Tag.free.rawValue]
        case .login(let user, let maximum):
            var writer = MessageWriter(tag: Tag.login.rawValue)
            writer.put(user)
            writer.put(maximum)
            return writer.bytes
        case .logout: return [Tag.logout.rawValue]
        case .page(let page):
            var writer = MessageWriter(tag: Tag.page.rawValue)
            writer.put(page.rawValue)
            return writer.bytes
        case .sessions: return [Tag.sessions.rawValue]
        case .systemSession(let user):
            var writer = MessageWriter(tag: Tag.systemSession.rawValue)
            writer.put(user)
            return writer.bytes
        case .systemSessionClosed: return [Tag.systemSessionClosed.rawValue]
        }
    }

    /// Reads one whole message.
    init(decoding message: [UInt8]) throws(MessageError) {
        var reader = try MessageReader(message)
        guard let tag = Tag(rawValue: reader.tag) else { throw .unknownTag(reader.tag) }
        switch tag {
        case .attempt:
            self = .attempt(user: try reader.takeString(maximum: Self.maximumUserByteCount))
        case .client: self = .client(try reader.takeAddress())
        case .loginRefused: self = .loginRefused(isFailedProof: try reader.takeBool())
        case .waiting: self = .waiting
        case .free: self = .free
        case .login:
            let user = try reader.takeString(maximum: Self.maximumUserByteCount)
            self = .login(user: user, maximum: try reader.take())
        case .logout: self = .logout
        case .page:
            guard let page = UserPage(rawValue: try reader.take()) else { throw .invalidValue }
            self = .page(page)
        case .sessions: self = .sessions
        case .systemSession:
            self = .systemSession(user: try reader.takeString(maximum: Self.maximumUserByteCount))
        case .systemSessionClosed: self = .systemSessionClosed
        }
        try reader.finish()
    }
}

/// The pages that several sessions share.
enum UserPage: UInt8, CaseIterable, Hashable {
    /// What the user has stored; for Agents.
    case quota = 0
    /// How much the user may move now; for Wardens alone, since whoever holds it can stop the
    /// transfers of everybody who shares it.
    case userRate
    /// How much the whole server may move now; for Wardens alone.
    case serverRate
    /// The address that PASV announces; for Wardens alone.
    case announcedAddress
    /// Which passive ports are out; for Wardens alone.
    case passivePorts
    /// How much all sessions may write into the logs now; for Wardens alone.
    case logRate
    /// What is counted; for Wardens, and for the process that is asked.
    case metrics
}

extension UserPage {
    /// Whether all sessions share the page, and not only those of a user.
    var isOfServer: Bool {
        switch self {
        case .quota, .userRate: false
        case .serverRate, .announcedAddress, .passivePorts, .logRate, .metrics: true
        }
    }
}
