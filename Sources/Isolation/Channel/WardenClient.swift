internal import Authentication
package import FTPProtocol
package import LinuxSystem
package import Logging

/// A Session's end of the channel to its Warden.
///
/// When the Warden is gone every call fails with ``WardenGone``, and the session has to end.
package final class WardenClient: SessionWarden {
    private let channel: MessageSocket

    /// Why the Warden asked to finish, if it did.
    package private(set) var finishReason: FinishReason?

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
        case .finish(let reason):
            finishReason = reason
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

    /// Charges bytes that were moved to the rates of the user and of the whole server.
    ///
    /// - Parameter byteCount: At least 1, and at most ``SharedRates/pieceByteCount(_:)``.
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
    package func listenForData(
        meanwhile work: () -> Void
    ) throws(WardenGone) -> DataSocketOutcome {
        try send(.listenForData)
        work()
        var answer = try receiveAnswer()
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
        text.cut(toByteCount: WardenRequest.maximumLogByteCount)
    }

    /// Writes what the user did into the logs of transfers; the Warden adds who it was.
    package func record(_ action: LoggedAction) {
        try? channel.send(WardenRequest.record(action).encoded)
    }

    /// Writes what the user did into the audit trail, and waits until that is done.
    package func audit(_ action: AuditedAction) throws(WardenGone) {
        guard try ask(.audit(action)).reply == .audited else { throw WardenGone() }
    }

    /// Tells what protects the control connection from here on, for the audit trail.
    package func noteTLS(_ tls: AuditedTLS) throws(WardenGone) {
        try send(.noteTLS(tls))
    }

    /// Writes a line that the client sent, or was sent, into vsftpd's log.
    package func recordLine(_ text: [UInt8], isReply: Bool) {
        let text = Array(text.prefix(WardenRequest.maximumLineByteCount))
        try? channel.send(WardenRequest.recordLine(isReply: isReply, text).encoded)
    }

    /// Has a TLS handshake counted.
    package func count(_ report: HandshakeReport) {
        try? channel.send(WardenRequest.handshake(report).encoded)
    }

    /// Has every log line from here on say that the session works in clear, or no longer say so.
    package func markClear(_ isClear: Bool) throws(WardenGone) {
        try send(.markClear(isClear))
    }

    /// Takes what the Warden said unasked, once ``pollNumber`` is readable.
    package func takeNotice() throws(WardenGone) {
        let answer = try receive()
        guard case .finish(let reason) = answer.reply else { throw WardenGone() }
        finishReason = reason
    }

    private func ask(_ request: WardenRequest) throws(WardenGone) -> WardenAnswer {
        try send(request)
        return try receiveAnswer()
    }

    /// The answer to what was asked last.
    private func receiveAnswer() throws(WardenGone) -> WardenAnswer {
        while true {
            let answer = try receive()
            guard case .finish(let reason) = answer.reply else { return answer }
            finishReason = reason
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

private struct WardenAnswer: ~Copyable {
    let reply: WardenReply
    private var descriptor: OwnedDescriptor?

    init(reply: WardenReply, descriptor: consuming OwnedDescriptor?) {
        self.reply = reply
        self.descriptor = descriptor
    }

    mutating func takeDescriptor() -> OwnedDescriptor? { descriptor.take() }
}
