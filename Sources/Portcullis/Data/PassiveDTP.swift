internal import FTPProtocol
internal import LinuxSystem
internal import TLS

/// Awaits a data connection on a port of ours (PASV, EPSV).
///
/// Keeps accepting until a connection brings its proof or the time is over, so that a stranger who
/// connects first neither gets the transfer nor spoils it.
final class PassiveDTP: DataSource {
    /// Connections looked at side by side; one more costs the oldest its place.
    private static let maximumCandidateCount = 8

    /// Connections taken from the kernel in one go.
    private static let maximumAcceptCount = 32

    /// How long the right connection may still come after one that proved nothing.
    ///
    /// The client's own refusal must not take as long as `accept_timeout`, and a stranger's must
    /// not be the client's.
    private static let grace: Duration = .seconds(3)

    let level: ProtectionLevel
    private var listener: OwnedDescriptor?
    private let policy: AdmissionPolicy
    private let tls: TLSContext?
    private let acceptTimeout: Duration
    private let handshakeTimeout: Duration
    private let report: (String) -> Void
    private var candidates: [DataHandshake] = []
    private var end = Deadline.never
    private var isStarted = false
    private var blemish: DataConnectionFailure?
    private var outcome: Result<AdmittedConnection, DataConnectionFailure>?

    /// Awaits connections on `listener`.
    ///
    /// `report` takes lines for the log.
    init(
        _ listener: consuming OwnedDescriptor,
        level: ProtectionLevel,
        policy: AdmissionPolicy,
        tls: TLSContext?,
        acceptTimeout: Duration,
        handshakeTimeout: Duration,
        report: @escaping (String) -> Void
    ) {
        self.listener = consume listener
        self.level = level
        self.policy = policy
        self.tls = tls
        self.acceptTimeout = acceptTimeout
        self.handshakeTimeout = handshakeTimeout
        self.report = report
        // A port that no transfer follows is not kept from others for as long as the session idles.
        end = Deadline(after: acceptTimeout)
    }

    deinit {
        closeListener()
    }

    var pollEntries: [PollEntry] {
        guard outcome == nil else { return [] }
        var entries = candidates.map(\.pollEntry)
        entries.append(PollEntry(listener?.number ?? -1, reading: true))
        return entries
    }

    var deadline: Deadline {
        guard outcome == nil else { return .never }
        return candidates.reduce(end) { min($0, $1.expiry) }
    }

    func start() {
        isStarted = true
        guard outcome == nil else { return }
        end = Deadline(after: acceptTimeout)
        if blemish != nil { shortenWait() }
    }

    func advance() {
        guard outcome == nil else { return }
        for candidate in candidates { candidate.advance() }
        // Whoever has proved it by now is not pushed out by those who come.
        judge()
        guard outcome == nil else { return }
        acceptCandidates()
        judge()
        if outcome == nil, end.hasPassed { conclude(.failure(blemish ?? .notEstablished)) }
    }

    /// The other end of the connection that the transfer would take, as far as is known now: the
    /// one that proved itself, or the first that came.
    var clientEnd: SocketAddress? {
        if case .success(let connection) = outcome { return connection.stream.peer }
        return candidates.first(where: \.mayBeAdmitted)?.stream.peer
    }

    func takeOutcome() -> Result<AdmittedConnection, DataConnectionFailure>? { outcome }

    private func acceptCandidates() {
        for _ in 0..<Self.maximumAcceptCount {
            guard let accepted = ((try? listener?.accept()) ?? nil) else { return }
            let peer = accepted.peer
            let isProxied = policy.proxies.contain(peer.address)
            guard isProxied || policy.mayApproach(peer) else {
                reportForeign(peer)
                continue
            }
            let candidate = DataHandshake(
                NetworkStream(owning: accepted.takeDescriptor(), peer: peer),
                level: level,
                policy: policy,
                tls: tls,
                timeout: handshakeTimeout,
                isProxied: isProxied
            )
            switch candidate.state {
            case .waiting, .admitted, .unproven:
                makeRoom()
                candidates.append(candidate)
            case .foreign, .unnamed, .failed: reportEnd(of: candidate)
            }
        }
    }

    /// Whoever opens connections and says nothing must not keep the client out: the oldest goes, and
    /// before it one of which its proxy has not said whose it is.
    private func makeRoom() {
        guard candidates.count == Self.maximumCandidateCount else { return }
        let oldest = candidates.remove(at: candidates.firstIndex { !$0.isIdentified } ?? 0)
        if !oldest.isIdentified { reportUnnamed(oldest.stream.peer) }
    }

    private func reportUnnamed(_ proxy: SocketAddress) {
        report("no PROXY header on a data connection from the proxy \(proxy)")
    }

    private func reportForeign(_ peer: SocketAddress) {
        report("data connection from a foreign address refused: \(peer)")
    }

    private func judge() {
        var rest: [DataHandshake] = []
        for candidate in candidates {
            switch candidate.state {
            case .waiting: rest.append(candidate)
            case .admitted(let connection):
                conclude(.success(connection))
                return
            case .unproven(let failure):
                note(failure, candidate.stream)
                // Kept open: were it closed before the reply is sent, the client would see a broken
                // connection and never read why.
                rest.append(candidate)
            case .foreign, .unnamed, .failed: reportEnd(of: candidate)
            }
        }
        candidates = rest
    }

    private func reportEnd(of candidate: DataHandshake) {
        switch candidate.state {
        case .foreign: reportForeign(candidate.stream.peer)
        case .unnamed: reportUnnamed(candidate.stream.peer)
        // A load balancer that looks whether the port is open is nobody's mistake.
        case .failed: if candidate.isIdentified { note(.handshake, candidate.stream) }
        case .waiting, .admitted, .unproven: break
        }
    }

    private func note(_ failure: DataConnectionFailure, _ stream: NetworkStream) {
        guard blemish?.isUnproven != true, blemish != failure else { return }
        blemish = failure
        let reason =
            stream.certificateRefusal.map { "client certificate refused: \($0.logText)" }
            ?? (stream.isNameRefused ? "another host than the session's (SNI)" : "\(failure)")
        report("data connection without proof from \(stream.peer): \(reason)")
        if isStarted { shortenWait() }
    }

    private func shortenWait() {
        end = min(end, Deadline(after: Self.grace))
    }

    private func conclude(_ result: Result<AdmittedConnection, DataConnectionFailure>) {
        outcome = result
        closeListener()
        guard case .failure = result else {
            candidates = []
            return
        }
        // Perhaps the client's own, of which its proxy has said nothing.
        for candidate in candidates where !candidate.isIdentified {
            reportUnnamed(candidate.stream.peer)
        }
    }

    /// Closes the port, which the Warden keeps open as well.
    private func closeListener() {
        listener?.endListening()
        listener = nil
    }

    /// Ends the connections that proved nothing, after the client was told why.
    func dismissCandidates(_ buffer: TransferBuffer) {
        let deadline = Deadline(after: NetworkStream.dismissalTimeout)
        for candidate in candidates {
            guard case .unproven = candidate.state else { continue }
            candidate.stream.dismiss(buffer, until: deadline)
        }
        candidates = []
    }
}
