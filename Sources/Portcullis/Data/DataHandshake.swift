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
        /// Over, without a word of whoever has connected.
        case silent
        /// Over.
        case failed
    }

    /// How long whoever has connected is not given up for others who come.
    ///
    /// An honest client needs a round trip or two until its first bytes are there.
    private static let patience: Duration = .seconds(2)

    let stream: NetworkStream
    private(set) var state: State = .waiting
    private let policy: AdmissionPolicy
    private let timeout: Duration
    private let level: ProtectionLevel
    private let tls: TLSContext?
    private var deadline = Deadline.never
    private var isStarted: Bool
    private var wantsWrite = false

    /// Until when it is not given up for others who come.
    private(set) var patience: Deadline

    /// Whether TLS has begun.
    ///
    /// Not before the first bytes are there: whoever says nothing costs no more than a descriptor.
    private(set) var hasBegun = false

    /// Whether the first bytes are there, and TLS was not to begin yet.
    private(set) var isHeldBack = false

    /// Whether whoever has connected let the whole time for the handshake go by without a word.
    private(set) var hasTimedOut = false

    /// What a proxy has said so far, until it has said everything.
    private var proxyHeader: ProxyHeaderReader?

    /// Awaits the first bytes.
    ///
    /// The time for the handshake runs from the first bytes or from the transfer command
    /// (`isStarted`, ``start()``), whichever is first: a client may connect long before. Where a
    /// proxy has connected (`isProxied`), its header comes first, and at once. With
    /// `staysUntilStart` the connection is not given up for others before the transfer command.
    init(
        _ stream: NetworkStream,
        level: ProtectionLevel,
        policy: AdmissionPolicy,
        tls: TLSContext?,
        timeout: Duration,
        isStarted: Bool,
        isProxied: Bool = false,
        staysUntilStart: Bool = false
    ) {
        self.stream = stream
        self.level = level
        self.policy = policy
        self.tls = tls
        self.timeout = timeout
        self.isStarted = isStarted
        patience = staysUntilStart && !isStarted ? .never : Deadline(after: Self.patience)
        stream.descriptor.sendWithoutDelay()
        if isProxied { proxyHeader = ProxyHeaderReader() }
        if isStarted || isProxied { deadline = Deadline(after: timeout) }
    }

    /// Begins to count the time: the transfer command was given.
    func start() {
        isStarted = true
        if deadline == .never { deadline = Deadline(after: timeout) }
        if patience == .never { patience = Deadline(after: Self.patience) }
    }

    /// Whether it stays whoever comes until the transfer command is given.
    var staysUntilStart: Bool { patience == .never }

    /// Whether it may be given up for others who come.
    var mayBeDisplaced: Bool {
        if case .admitted = state { false } else { patience.hasPassed }
    }

    /// Whether it is known who has connected, and may still be the right one.
    var mayBeAdmitted: Bool {
        switch state {
        case .waiting, .admitted: isIdentified
        case .unproven, .foreign, .unnamed, .silent, .failed: false
        }
    }

    /// Whether it is known who has connected.
    var isIdentified: Bool { proxyHeader == nil }

    /// Whether nothing is to be expected of it any more, not even that it is told why.
    var isOver: Bool {
        switch state {
        case .waiting, .admitted, .unproven: false
        case .foreign, .unnamed, .silent, .failed: true
        }
    }

    /// Whether TLS may or need not begin: looks for the first bytes.
    private func begin(_ mayBeginTLS: Bool) -> Bool {
        guard level.isPrivate, !hasBegun else { return true }
        switch stream.descriptor.look() {
        case .bytes: break
        case .wantsRead, .wantsWrite: return false
        case .ended, .failed:
            state = .silent
            return false
        }
        isHeldBack = !mayBeginTLS
        guard mayBeginTLS else { return false }
        hasBegun = true
        // The first bytes are worth as much time again.
        patience = Deadline(after: Self.patience)
        if deadline == .never { deadline = Deadline(after: timeout) }
        guard let tls, (try? stream.beginTLS(tls, as: .data)) != nil else {
            state = .failed
            return false
        }
        return true
    }

    /// What to wait for.
    var pollEntry: PollEntry {
        guard case .waiting = state, !isHeldBack else { return .none }
        return PollEntry(stream.descriptor.number, reading: !wantsWrite, writing: wantsWrite)
    }

    /// When the client's time is over.
    var expiry: Deadline {
        guard case .waiting = state else { return .never }
        return deadline
    }

    /// Takes the handshake as far as it goes; TLS begins only if it may.
    func advance(mayBeginTLS: Bool = true) {
        readProxyHeader()
        if case .waiting = state, proxyHeader == nil, begin(mayBeginTLS) { shakeHands() }
        guard case .waiting = state, deadline.hasPassed else { return }
        if !isIdentified {
            state = .unnamed
        } else if hasBegun || isHeldBack {
            state = .failed
        } else {
            hasTimedOut = true
            state = .silent
        }
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
            guard policy.mayApproach(stream.peer) else {
                state = .foreign
                return
            }
            // From here on the client itself may take its time.
            if !isStarted { deadline = .never }
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
