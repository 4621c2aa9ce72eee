internal import Authentication
internal import FTPProtocol
internal import LinuxSystem

/// What a Warden tells its Session.
enum WardenReply: Hashable {
    /// The login stands; the channel to the Agent comes along.
    case granted(LoginTerms)
    /// The login was refused; after the last attempt the session has to end.
    case refused(RefusalNotice, isLast: Bool)
    /// PAM wants to know something besides the password (reply 332).
    case needsAccount
    /// The certificate was looked at; whether it proves anything.
    case certificate(isProved: Bool)
    /// The certificate is not that user's, who has to give the password.
    case needsPassword
    /// The client that a proxy named is counted, or turned away.
    case client(ClientRefusal?)
    /// The login has ended.
    case loginEnded
    /// A socket listens on this port and comes along; what PASV announces, if that may change.
    case listening(port: UInt16, announced: IPAddress? = nil)
    /// A connection was started; its socket comes along.
    case connecting
    /// No data socket.
    case noDataSocket(DataSocketFailure)
    /// The sessions of the user who logged in.
    case sessions([SessionEntry])
    /// When more bytes may be moved, in nanoseconds from now, and whether those that were named are
    /// charged; if not, they have to be named again then.
    case charged(wait: UInt64, isCharged: Bool)
    /// What a user or a group is called, if anything.
    case accountName(String?)
    /// What the user did stands in the audit trail, or need not.
    case audited
    /// Unasked: finish what runs, then end the session.
    case finish(FinishReason)

    private enum Tag: UInt8 {
        case granted = 1
        case refused
        case loginEnded
        case listening
        case connecting
        case noDataSocket
        case finish
        case sessions
        // See WardenRequest.Kind.
        case needsAccount = 10
        case accountName
        case charged
        case certificate
        case needsPassword
        case client
        case audited
    }

    /// The message.
    var encoded: [UInt8] {
        switch self {
        case .granted(let terms):
            var writer = MessageWriter(tag: Tag.granted.rawValue)
            writer.put(terms)
            return writer.bytes
        case .refused(let notice, let isLast):
            var writer = MessageWriter(tag: Tag.refused.rawValue)
            writer.put(notice.rawValue)
            writer.put(isLast)
            return writer.bytes
        case .needsAccount: return [Tag.needsAccount.rawValue]
        case .certificate(let isProved):
            var writer = MessageWriter(tag: Tag.certificate.rawValue)
            writer.put(isProved)
            return writer.bytes
        case .needsPassword: return [Tag.needsPassword.rawValue]
        case .loginEnded: return [Tag.loginEnded.rawValue]
        case .listening(let port, let announced):
            var writer = MessageWriter(tag: Tag.listening.rawValue)
            writer.put(port)
            writer.put(announced != nil)
            if let announced { writer.put(announced) }
            return writer.bytes
        case .client(let refusal): return [Tag.client.rawValue, refusal?.rawValue ?? 0]
        case .connecting: return [Tag.connecting.rawValue]
        case .noDataSocket(let failure):
            var writer = MessageWriter(tag: Tag.noDataSocket.rawValue)
            writer.put(failure.rawValue)
            return writer.bytes
        case .finish(let reason): return [Tag.finish.rawValue, reason.rawValue]
        case .audited: return [Tag.audited.rawValue]
        case .charged(let wait, let isCharged):
            var writer = MessageWriter(tag: Tag.charged.rawValue)
            writer.put(wait)
            writer.put(isCharged)
            return writer.bytes
        case .accountName(let name):
            var writer = MessageWriter(tag: Tag.accountName.rawValue)
            writer.put(name ?? "")
            return writer.bytes
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
        case .granted: self = .granted(try reader.takeTerms())
        case .refused:
            guard let notice = RefusalNotice(rawValue: try reader.take()) else {
                throw .invalidValue
            }
            self = .refused(notice, isLast: try reader.takeBool())
        case .needsAccount: self = .needsAccount
        case .certificate: self = .certificate(isProved: try reader.takeBool())
        case .needsPassword: self = .needsPassword
        case .loginEnded: self = .loginEnded
        case .listening:
            let port: UInt16 = try reader.take()
            self = .listening(
                port: port,
                announced: try reader.takeBool() ? try reader.takeAddress() : nil
            )
        case .client:
            let number: UInt8 = try reader.take()
            let refusal = ClientRefusal(rawValue: number)
            guard number == 0 || refusal != nil else { throw .invalidValue }
            self = .client(refusal)
        case .connecting: self = .connecting
        case .noDataSocket:
            guard let failure = DataSocketFailure(rawValue: try reader.take()) else {
                throw .invalidValue
            }
            self = .noDataSocket(failure)
        case .finish:
            guard let reason = FinishReason(rawValue: try reader.take()) else {
                throw .invalidValue
            }
            self = .finish(reason)
        case .audited: self = .audited
        case .charged:
            let wait = try reader.take(UInt64.self)
            self = .charged(wait: wait, isCharged: try reader.takeBool())
        case .accountName:
            let name = try reader.takeString(maximum: AccountNumber.maximumNameByteCount)
            self = .accountName(name.isEmpty ? nil : name)
        case .sessions: self = .sessions(try reader.takeSessions())
        }
        try reader.finish()
    }
}

/// Why a session has to end that could go on.
package enum FinishReason: UInt8, CaseIterable, Hashable, Sendable {
    /// The server is to end.
    case serverEnds = 1
    /// It makes room for another client, before the login.
    case makesRoom
    /// An administrator wants it, at once and whatever runs.
    case kicked
    /// Another server takes over; what runs may take its time.
    case restarts
}

/// Why there is no data socket.
package enum DataSocketFailure: UInt8, Error, Hashable, Sendable {
    /// Every port of the range is taken.
    case rangeExhausted = 1
    /// The address or port is not one that this server connects to.
    case forbidden
    /// The kernel could not do it.
    case failed
    /// The client's address has as many ports as it may.
    case tooMany
}
