package import Authentication
package import FTPProtocol
package import LinuxSystem
package import Logging

/// A Session's end of the channel to its Warden.
///
/// When the Warden is gone every call fails with ``WardenGone``, and the session has to end.
package final class WardenClient {
    private let channel: MessageSocket

    /// Whether the Warden asked to finish.
    package private(set) var mustFinish = false

    init(_ channel: consuming MessageSocket) {
        self.channel = channel
    }

    /// The channel's descriptor, for `poll(2)`; readable when the Warden has something to say
    /// unasked.
    package var pollNumber: CInt { channel.descriptor.number }

    /// Has a password checked that came without TLS (`isClear`) or with it; takes as long as PAM takes, up to `limit`.
    package func authenticate(
        user: String,
        password: consuming Secret,
        isClear: Bool,
        limit: Duration
    ) throws(WardenGone) -> LoginOutcome {
        let attempt = LoginAttempt(user: user, password: password, isClear: isClear)
        return try askForLogin(.authenticate(attempt), limit)
    }

    /// Answers what was asked besides the password.
    package func answer(
        _ secret: consuming Secret,
        limit: Duration
    ) throws(WardenGone) -> LoginOutcome {
        try askForLogin(.answer(SecondAnswer(secret)), limit)
    }

    /// Gives a login up instead of answering; it is refused then.
    package func giveUp(limit: Duration) throws(WardenGone) -> LoginOutcome {
        try askForLogin(.giveUp, limit)
    }

    /// Has the Warden look at the handshake in which the client showed its certificate.
    ///
    /// - Returns: Whether it proves anything.
    package func showCertificate(_ recording: [UInt8]) throws(WardenGone) -> Bool {
        guard case .certificate(let isProved) = try ask(.showCertificate(recording)).reply else {
            throw WardenGone()
        }
        return isProved
    }

    /// Asks to let a user in by the certificate alone; takes as long as PAM takes, up to `limit`.
    package func admit(user: String, limit: Duration) throws(WardenGone) -> LoginOutcome {
        try askForLogin(.admit(user: user), limit)
    }

    private func askForLogin(
        _ request: WardenRequest,
        _ limit: Duration
    ) throws(WardenGone) -> LoginOutcome {
        try send(request)
        let deadline = Deadline(after: limit)
        while !deadline.hasPassed {
            var entries = [PollEntry(channel.descriptor.number, reading: true)]
            guard (try? poll(&entries, until: deadline)) != nil else { throw WardenGone() }
            guard entries[0].isReadable else { continue }
            if let outcome = try receiveOutcome() { return outcome }
        }
        return .timedOut
    }

    private func receiveOutcome() throws(WardenGone) -> LoginOutcome? {
        var answer = try receive()
        switch answer.reply {
        case .finish:
            mustFinish = true
            return nil
        case .needsAccount: return .needsAccount
        case .needsPassword: return .needsPassword
        case .granted(let terms):
            guard let descriptor = answer.takeDescriptor() else { throw WardenGone() }
            return .granted(
                LoginGrant(terms: terms, agent: MessageSocket(owning: descriptor))
            )
        case .refused(let notice, let isLast): return .refused(notice, isLast: isLast)
        default: throw WardenGone()
        }
    }

    /// Names the client that a proxy speaks for; only once, and before anything else.
    ///
    /// - Returns: Why the client is turned away, or `nil`.
    package func name(client: SocketAddress) throws(WardenGone) -> ClientRefusal? {
        guard case .client(let refusal) = try ask(.client(client)).reply else {
            throw WardenGone()
        }
        return refusal
    }

    /// Ends the login, so that another user may log in.
    package func endLogin() throws(WardenGone) {
        guard try ask(.endLogin).reply == .loginEnded else { throw WardenGone() }
    }

    /// Asks for the limiter that all sessions of the user share.
    ///
    /// - Parameter rate: Bytes per second for all of them together.
    /// - Returns: The limiter, or `nil` when there is none to be had.
    /// - Throws: ``WardenGone``.
    package func sharedLimiter(rate: Int) throws(WardenGone) -> RateLimiter? {
        var answer = try ask(.shareRate)
        guard case .rate = answer.reply else { throw WardenGone() }
        guard let descriptor = answer.takeDescriptor(),
            let page = try? SharedPage(mapping: descriptor)
        else { return nil }
        return RateLimiter(rate: rate, sharing: page, at: 0)
    }

    /// Charges bytes that were moved to the rate of the whole server.
    ///
    /// - Parameter byteCount: At least 1, and at most ``ServerRate/pieceByteCount(_:)``.
    /// - Returns: When more may be moved, and whether these bytes are charged; if they are not, they
    ///   have to be named again then.
    /// - Throws: ``WardenGone``.
    package func charge(
        _ byteCount: Int
    ) throws(WardenGone) -> (next: Deadline, isCharged: Bool) {
        let request = WardenRequest.charge(UInt32(clamping: max(1, byteCount)))
        guard case .charged(let wait, let isCharged) = try ask(request).reply else {
            throw WardenGone()
        }
        return (Deadline(after: .nanoseconds(Int64(clamping: wait))), isCharged)
    }

    /// Asks what a user or a group is called (`text_userdb_names`).
    package func name(of account: AccountNumber) throws(WardenGone) -> String? {
        guard case .accountName(let name) = try ask(.accountName(account)).reply else {
            throw WardenGone()
        }
        return name
    }

    /// The sessions of the user who logged in, the oldest first.
    package func listSessions() throws(WardenGone) -> [SessionEntry] {
        guard case .sessions(let entries) = try ask(.listSessions).reply else {
            throw WardenGone()
        }
        return entries
    }

    /// Asks for a socket that listens for a passive data connection.
    package func listenForData() throws(WardenGone) -> DataSocketOutcome {
        var answer = try ask(.listenForData)
        switch answer.reply {
        case .listening(let port, let announced):
            guard let descriptor = answer.takeDescriptor() else { throw WardenGone() }
            return .socket(descriptor, port: port, announced: announced)
        case .noDataSocket(let failure): return .failed(failure)
        default: throw WardenGone()
        }
    }

    /// Asks for a socket on its way to `remote`.
    package func connectForData(to remote: SocketAddress) throws(WardenGone) -> DataSocketOutcome {
        var answer = try ask(.connectForData(remote.address, port: remote.port))
        switch answer.reply {
        case .connecting:
            guard let descriptor = answer.takeDescriptor() else { throw WardenGone() }
            return .socket(descriptor, port: remote.port, announced: nil)
        case .noDataSocket(let failure): return .failed(failure)
        default: throw WardenGone()
        }
    }

    /// Writes a line into the log; the Warden adds whose session it is.
    package func log(_ level: Logger.Level, _ text: String) {
        try? channel.send(WardenRequest.log(level, Self.line(text)).encoded)
    }

    /// Writes a line about what the user did into the log.
    ///
    /// Other lines do not crowd it out: whoever does too much at once has to wait.
    package func logAction(_ level: Logger.Level, _ text: String) {
        try? channel.send(WardenRequest.logAction(level, Self.line(text)).encoded)
    }

    private static func line(_ text: String) -> String {
        String(
            decoding: text.utf8.prefix(WardenRequest.maximumLogByteCount - 4),
            as: UTF8.self
        )
    }

    /// Writes what the user did into the logs of transfers; the Warden adds who it was.
    package func record(_ action: LoggedAction) {
        try? channel.send(WardenRequest.record(action).encoded)
    }

    /// Writes a line that the client sent, or was sent, into vsftpd's log.
    package func recordLine(_ text: some Sequence<UInt8>, isReply: Bool) {
        let text = Array(text.prefix(WardenRequest.maximumLineByteCount))
        try? channel.send(WardenRequest.recordLine(isReply: isReply, text).encoded)
    }

    /// Has every log line from here on say that the session works in clear, or no longer say so.
    package func markClear(_ isClear: Bool) throws(WardenGone) {
        try send(.markClear(isClear))
    }

    /// Takes what the Warden said unasked, once ``pollNumber`` is readable.
    package func takeNotice() throws(WardenGone) {
        let answer = try receive()
        guard answer.reply == .finish else { throw WardenGone() }
        mustFinish = true
    }

    private func ask(_ request: WardenRequest) throws(WardenGone) -> WardenAnswer {
        try send(request)
        while true {
            let answer = try receive()
            guard answer.reply == .finish else { return answer }
            mustFinish = true
        }
    }

    private func send(_ request: WardenRequest) throws(WardenGone) {
        var message = request.encoded
        do {
            try channel.send(message)
        } catch {
            throw WardenGone()
        }
        message.wipe()
    }

    private func receive() throws(WardenGone) -> WardenAnswer {
        do {
            guard var message = try channel.receive() else { throw WardenGone() }
            let reply = try WardenReply(decoding: message.bytes)
            return WardenAnswer(reply: reply, descriptor: message.takeDescriptor())
        } catch {
            throw WardenGone()
        }
    }
}

/// The Warden ended, or speaks nonsense.
package struct WardenGone: Error, Hashable, Sendable {}

/// How a login went.
package enum LoginOutcome: ~Copyable {
    /// The user is in.
    case granted(LoginGrant)
    /// Not in; after the last attempt the session has to end.
    case refused(RefusalNotice, isLast: Bool)
    /// Not in yet; something besides the password is asked for.
    case needsAccount
    /// Not in yet; the certificate is not the user's, and the password may be.
    case needsPassword
    /// The check took too long; the session has to end.
    case timedOut

    /// Whether the certificate was not enough, and the password is still to be asked for.
    package var asksForPassword: Bool {
        switch self {
        case .needsPassword: true
        default: false
        }
    }
}

/// What a login brings.
package struct LoginGrant: ~Copyable {
    /// What the Session has to know.
    package let terms: LoginTerms
    private var agent: MessageSocket

    init(terms: LoginTerms, agent: consuming MessageSocket) {
        self.terms = terms
        self.agent = agent
    }

    /// The channel to the process that opens files.
    package consuming func takeAgent() -> MessageSocket { agent }
}

/// How the wish for a data socket went.
package enum DataSocketOutcome: ~Copyable {
    /// The socket, and the port that it listens on or connects to.
    ///
    /// With them comes what PASV announces, where that may change (`pasv_addr_resolve`).
    case socket(OwnedDescriptor, port: UInt16, announced: IPAddress?)
    /// There is none.
    case failed(DataSocketFailure)
}

private struct WardenAnswer: ~Copyable {
    let reply: WardenReply
    private var descriptor: OwnedDescriptor?

    init(reply: WardenReply, descriptor: consuming OwnedDescriptor?) {
        self.reply = reply
        self.descriptor = descriptor
    }

    mutating func takeDescriptor() -> OwnedDescriptor? { descriptor.take() }
}
