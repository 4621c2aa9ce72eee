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
        /// From an address whose connections are not looked at, as a proxy has told.
        case foreign
        /// Over, and a proxy that has connected did not say for whom.
        case unnamed
        /// Over.
        case failed
    }

    let stream: NetworkStream
    private(set) var state: State = .waiting
    private let policy: AdmissionPolicy
    private let deadline: Deadline
    private let level: ProtectionLevel
    private let tls: TLSContext?
    private var wantsWrite = false

    /// What a proxy has said so far, until it has said everything.
    private var proxyHeader: ProxyHeaderReader?

    /// Begins the handshake, or judges at once when there is none.
    ///
    /// Where a proxy has connected (`isProxied`), its header comes first.
    init(
        _ stream: NetworkStream,
        level: ProtectionLevel,
        policy: AdmissionPolicy,
        tls: TLSContext?,
        timeout: Duration,
        isProxied: Bool = false
    ) {
        self.stream = stream
        self.level = level
        self.policy = policy
        self.tls = tls
        deadline = Deadline(after: timeout)
        stream.descriptor.sendWithoutDelay()
        if isProxied { proxyHeader = ProxyHeaderReader() } else { beginTLS() }
        advance()
    }

    /// Whether it is known who has connected, and may still be the right one.
    var mayBeAdmitted: Bool {
        switch state {
        case .waiting, .admitted: isIdentified
        case .unproven, .foreign, .unnamed, .failed: false
        }
    }

    /// Whether it is known who has connected.
    var isIdentified: Bool { proxyHeader == nil }

    private func beginTLS() {
        guard level == .private else { return }
        guard let tls, (try? stream.beginTLS(tls, as: .data)) != nil else {
            state = .failed
            return
        }
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
        readProxyHeader()
        if proxyHeader == nil { shakeHands() }
        if case .waiting = state, deadline.hasPassed { state = isIdentified ? .failed : .unnamed }
    }

    /// Reads what a proxy says, and not a byte of what the client says behind it.
    private func readProxyHeader() {
        while case .waiting = state, let reader = proxyHeader {
            var piece = [UInt8](repeating: 0, count: reader.wantedByteCount)
            let outcome = unsafe piece.withUnsafeMutableBytes { unsafe stream.read(into: $0) }
            switch outcome {
            case .bytes(let count): take(piece.prefix(count))
            case .wantsRead, .wantsWrite: return
            // Whoever connects and leaves looks whether the port is open.
            case .ended, .failed: state = reader.isEmpty ? .failed : .unnamed
            }
        }
    }

    private func take(_ bytes: ArraySlice<UInt8>) {
        do throws(ProxyHeaderError) {
            guard let header = try proxyHeader?.read(bytes) else { return }
            guard let ends = header.ends(behind: stream.peer) else {
                // So does a proxy that speaks for itself.
                state = .failed
                return
            }
            proxyHeader = nil
            stream.speak(for: ends.client)
            if policy.mayApproach(stream.peer) { beginTLS() } else { state = .foreign }
        } catch {
            state = .unnamed
        }
    }

    private func shakeHands() {
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
    }
}
