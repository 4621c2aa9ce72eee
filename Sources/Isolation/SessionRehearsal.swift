internal import FTPProtocol
internal import FileSystem
package import LinuxSystem
internal import Logging

/// A session that nobody has asked for, before the first fork.
///
/// Swift's runtime makes types, and looks protocols up, at their first use, and remembers them. What
/// it remembers in the process that forks, no session has to find out again, nor to keep a copy of.
package enum SessionRehearsal {
    /// What a session begins with whose client is at the other end of `control`, and whose Warden
    /// lets everybody in and does nothing else.
    ///
    /// - Throws: ``SystemError`` where there is no room for a channel.
    package static func start(
        _ control: consuming OwnedDescriptor
    ) throws(SystemError) -> SessionStart {
        let address = SocketAddress(.v4(0x7F00_0001), port: 21)
        return SessionStart(
            control: control,
            peer: address,
            local: address,
            isProxied: false,
            kind: .explicitTLS,
            warden: try MessageSocket.makePair().split { RehearsalWarden($0, $1) },
            challenge: [],
            signer: nil
        )
    }
}

/// Takes every message through the channel that it would take, and answers what a Warden would.
private final class RehearsalWarden: SessionWarden {
    private let near: MessageSocket
    private let far: MessageSocket

    init(_ near: consuming MessageSocket, _ far: consuming MessageSocket) {
        self.near = near
        self.far = far
    }

    let pollNumber: CInt = -1
    let finishReason: FinishReason? = nil

    func takeNotice() {}

    private func send(_ request: WardenRequest) {
        var message = request.encoded
        try? near.send(message)
        message.wipe()
        guard let received = try? far.receive() else { return }
        _ = try? WardenRequest(decoding: received.bytes)
    }

    private func ask(_ request: WardenRequest, _ reply: WardenReply) -> WardenReply? {
        send(request)
        try? far.send(reply.encoded)
        guard let received = try? near.receive() else { return nil }
        return try? WardenReply(decoding: received.bytes)
    }

    func authenticate(
        user: String,
        password: consuming Secret,
        isClear: Bool,
        limit: Duration
    ) throws(WardenGone) -> LoginOutcome {
        let attempt = LoginAttempt(user: user, password: password, isClear: isClear)
        let terms = LoginTerms(permissions: .all, workingDirectory: .root, options: [])
        guard case .granted(let terms) = ask(.authenticate(attempt), .granted(terms)),
            let pair = try? MessageSocket.makePair()
        else { throw WardenGone() }
        // The other end is closed: whatever is asked about files fails, and nothing waits.
        return .granted(
            LoginGrant(terms: terms, fileSystem: RemoteFileSystem(pair.takeFirst()))
        )
    }

    func listenForData(meanwhile work: () -> Void) -> DataSocketOutcome {
        work()
        _ = ask(.listenForData, .listening(port: 1))
        return .failed(.failed)
    }

    func connectForData(to remote: SocketAddress) -> DataSocketOutcome { .failed(.failed) }

    func charge(_ byteCount: Int) -> (next: Deadline, isCharged: Bool) { (.passed, true) }

    func log(_ level: Logger.Level, _ text: String) { send(.log(level, text)) }

    func logAction(_ level: Logger.Level, _ text: String) { send(.logAction(level, text)) }

    func count(_ report: HandshakeReport) { send(.handshake(report)) }

    func record(_ action: LoggedAction) { send(.record(action)) }

    func audit(_ action: AuditedAction) { _ = ask(.audit(action), .audited) }

    func noteTLS(_ tls: AuditedTLS) { send(.noteTLS(tls)) }

    func markClear(_ isClear: Bool) { send(.markClear(isClear)) }

    func endLogin() { _ = ask(.endLogin, .loginEnded) }

    // What no rehearsal comes to.

    func answer(
        _ secret: consuming Secret,
        limit: Duration
    ) throws(WardenGone) -> LoginOutcome { throw WardenGone() }

    func giveUp(limit: Duration) throws(WardenGone) -> LoginOutcome { throw WardenGone() }

    func admit(user: String, limit: Duration) throws(WardenGone) -> LoginOutcome {
        throw WardenGone()
    }

    func showCertificate(_ recording: [UInt8]) -> Bool { false }

    func name(client: SocketAddress) -> ClientRefusal? { nil }

    func name(of account: AccountNumber) -> String? { nil }

    func listSessions() -> [SessionEntry] { [] }

    func recordLine(_ text: [UInt8], isReply: Bool) {}
}
