internal import FTPProtocol
internal import LinuxSystem
internal import TLS

/// One connection that is on its way to become a data connection.
final class DataHandshake {
    enum State {
        /// Waiting for the client.
        case waiting
        /// Proved to belong to the control connection.
        case admitted(AdmittedConnection)
        /// Complete, and without the proof that is required.
        case unproven(DataConnectionFailure)
        /// Over.
        case failed
    }

    let stream: NetworkStream
    private(set) var state: State = .waiting
    private let policy: AdmissionPolicy
    private let deadline: Deadline
    private var wantsWrite = false

    /// Begins the handshake, or judges at once when there is none.
    init(
        _ stream: NetworkStream,
        level: ProtectionLevel,
        policy: AdmissionPolicy,
        tls: TLSContext?,
        timeout: Duration
    ) {
        self.stream = stream
        self.policy = policy
        deadline = Deadline(after: timeout)
        stream.descriptor.sendWithoutDelay()
        if level == .private {
            guard let tls, (try? stream.beginTLS(tls, as: .data)) != nil else {
                state = .failed
                return
            }
        }
        advance()
    }

    /// What to wait for.
    var pollEntry: PollEntry {
        guard case .waiting = state else { return .none }
        return PollEntry(stream.descriptor.number, reading: !wantsWrite, writing: wantsWrite)
    }

    /// When the client's time is over.
    var expiry: Deadline {
        guard case .waiting = state else { return .never }
        return deadline
    }

    /// Takes the handshake as far as it goes.
    func advance() {
        guard case .waiting = state else { return }
        switch stream.handshake() {
        case .wantsRead: wantsWrite = false
        case .wantsWrite: wantsWrite = true
        case .failed: state = .failed
        case .done:
            switch policy.judge(stream) {
            case .success(let proof):
                state = .admitted(AdmittedConnection(stream: stream, proof: proof))
            case .failure(let failure): state = .unproven(failure)
            }
        }
        if case .waiting = state, deadline.hasPassed { state = .failed }
    }
}
