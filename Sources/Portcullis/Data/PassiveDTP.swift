internal import FTPProtocol
internal import LinuxSystem
internal import TLS

/// Awaits a data connection on a port of ours (PASV, EPSV).
///
/// Keeps accepting until a connection brings its proof or the time is over, so that a stranger who
/// connects first neither gets the transfer nor spoils it. ``FTPHandler/Settings/passiveDTP`` names a
/// subclass to be used, of which the session makes one for each port.
open class PassiveDTP: DataSource {
    /// Connections taken from the kernel in one go.
    private static let maximumAcceptCount = 32

    /// How long the right connection may still come after one that proved nothing.
    ///
    /// The client's own refusal must not take as long as `accept_timeout`, and a stranger's must
    /// not be the client's. One that never said a word shortens nothing.
    private static let grace: Duration = .seconds(3)

    /// How long nothing is accepted after this process had no descriptor for it.
    private static let pause: Duration = .milliseconds(100)

    /// The session that the port was opened for.
    public final unowned let handler: FTPHandler

    /// The port.
    public final let port: UInt16

    final let level: ProtectionLevel
    private var listener: OwnedDescriptor?
    private let policy: AdmissionPolicy
    private let tls: TLSContext?
    private let usualTimeout: Duration
    private let handshakeTimeout: Duration
    private let report: (String) -> Void
    private var candidates: DataCandidates
    private var foreignLines = BoundedLines()
    private var unnamedLines = BoundedLines()
    private var endOfPause = Deadline.passed
    private var awaitsRoom = false
    private var isPausing = false
    private var end = Deadline.never
    private var isStarted = false
    private var isClosed = false
    private var blemish: DataConnectionFailure?
    private var isWaitShort = false
    private var outcome: Result<AdmittedConnection, DataConnectionFailure>?

    /// Begins to await connections.
    ///
    /// - Parameter opening: What the session hands over, for one port alone.
    public required init(_ opening: DTPOpening) {
        handler = opening.handler
        port = opening.remote.port
        level = opening.level
        policy = opening.policy
        candidates = DataCandidates(opening.policy)
        tls = opening.tls
        usualTimeout = opening.timeout
        handshakeTimeout = opening.handshakeTimeout
        report = opening.report
        listener = opening.takeSocket()
        // A port that no transfer follows is not kept from others for as long as the session idles.
        end = Deadline(after: timeout)
    }

    deinit {
        closeListener()
    }

    // MARK: What may be done in another way

    /// How long the client may take to connect; ``FTPHandler/Settings/passiveTimeout`` by itself.
    ///
    /// Runs from PASV or EPSV, and once more from the command of the transfer.
    open var timeout: Duration { usualTimeout }

    /// Whether a connection is looked at any further.
    ///
    /// Asked for each that the server's own rules have let through; those hold whatever this says.
    /// By itself it admits all of them.
    ///
    /// - Parameters:
    ///   - remoteIP: The address that it comes from.
    ///   - remotePort: The port that it comes from.
    /// - Returns: `false` to have it closed.
    open func handleAccepted(remoteIP: String, remotePort: UInt16) -> Bool { true }

    /// Called when a connection has proved that it belongs to the session, before bytes move.
    open func handleEstablished(remoteIP: String) {}

    /// Called when the time is over and nobody has connected, before the client is told (425).
    open func handleTimeout() {}

    /// Called when TLS could not be negotiated on a connection; the port stays open for another.
    open func handleFailedSSLHandshake(remoteIP: String) {}

    // MARK: Waiting

    final var pollEntries: [PollEntry] {
        guard outcome == nil else { return [] }
        var entries = candidates.pollEntries
        // Who finds no room waits in the kernel.
        if !awaitsRoom, !isPausing { entries.append(listenerEntry) }
        return entries
    }

    private var listenerEntry: PollEntry { PollEntry(listener?.number ?? -1, reading: true) }

    final var deadline: Deadline {
        guard outcome == nil else { return .never }
        let next = min(end, candidates.deadline(awaitsRoom: awaitsRoom))
        return isPausing ? min(next, endOfPause) : next
    }

    final func start() {
        isStarted = true
        guard outcome == nil else { return }
        candidates.start()
        end = Deadline(after: timeout)
        if isWaitShort { shortenWait() }
    }

    final func advance(_ polled: [PollEntry]) {
        guard outcome == nil else { return }
        // Where the listener was not polled, the others are all there is. An accept(2) that finds
        // nobody costs several times as much as a look.
        let isAwaited =
            polled.count > candidates.all.count && polled.last?.isReadable ?? false
        candidates.advance(polled)
        // Whoever has proved it by now is not pushed out by those who come.
        judge()
        guard outcome == nil else { return }
        if isAwaited { acceptCandidates() }
        judge()
        // Kept, so that what is polled and how long it is polled rest on one look at the clock.
        awaitsRoom = !candidates.hasRoom
        isPausing = !endOfPause.hasPassed
        if outcome == nil { judgeTime() }
    }

    /// Gives up when the time is over, or when nobody can come any more.
    private func judgeTime() {
        let hasHope = candidates.all.contains(where: \.mayBeAdmitted)
        if hasHope, !isStarted, end.hasPassed {
            // The port is for others again; the client that has connected waits for its command.
            closeListener()
            end = .never
        } else if end.hasPassed || isClosed && !hasHope {
            conclude(.failure(blemish ?? .notEstablished))
        }
    }

    /// The other end of the connection that the transfer would take, as far as is known now: the
    /// one that proved itself, or the first that came.
    final var clientEnd: SocketAddress? {
        if case .success(let connection) = outcome { return connection.stream.peer }
        return candidates.all.first(where: \.mayBeAdmitted)?.stream.peer
    }

    final func takeOutcome() -> Result<AdmittedConnection, DataConnectionFailure>? { outcome }

    private func acceptCandidates() {
        for _ in 0..<Self.maximumAcceptCount {
            guard candidates.hasRoom, endOfPause.hasPassed else { return }
            do throws(SystemError) {
                guard let accepted = try listener?.accept() ?? nil else { return }
                take(accepted)
                // Seldom does anybody else come, and the next poll(2) tells.
                guard candidates.all.count > 1 else { return }
                var entries = [listenerEntry]
                guard (try? poll(&entries, until: .passed)) == 1 else { return }
            } catch {
                // It stays in the kernel, which reports it without end.
                endOfPause = Deadline(after: Self.pause)
            }
        }
    }

    private func take(_ accepted: consuming AcceptedConnection) {
        let peer = accepted.peer
        let isProxied = policy.proxies.contain(peer.address)
        guard isProxied || policy.mayApproach(peer) else {
            reportForeign(peer)
            return
        }
        guard handleAccepted(remoteIP: "\(peer.address)", remotePort: peer.port) else { return }
        let candidate = DataHandshake(
            NetworkStream(owning: accepted.takeDescriptor(), peer: peer),
            level: level,
            policy: policy,
            tls: tls,
            timeout: handshakeTimeout,
            isStarted: isStarted,
            isProxied: isProxied,
            staysUntilStart: candidates.hasRoomForEarly
        )
        if let displaced = candidates.add(candidate), !displaced.isIdentified {
            reportUnnamed(displaced.stream.peer)
        }
    }

    private func reportUnnamed(_ proxy: SocketAddress) {
        guard unnamedLines.admitsOne() else { return }
        report("no PROXY header on a data connection from the proxy \(proxy)")
    }

    private func reportForeign(_ peer: SocketAddress) {
        guard foreignLines.admitsOne() else { return }
        report("data connection from a foreign address refused: \(peer)")
    }

    /// Says how many lines there would have been.
    private func reportRest() {
        let foreign = foreignLines.takeRest()
        if foreign > 0 { report("\(foreign) more data connections from foreign addresses refused") }
        let unnamed = unnamedLines.takeRest()
        if unnamed > 0 { report("\(unnamed) more data connections without a PROXY header") }
    }

    private func judge() {
        for candidate in candidates.all {
            switch candidate.state {
            case .waiting: break
            case .admitted(let connection):
                conclude(.success(connection))
                return
            // Kept open: were it closed before the reply is sent, the client would see a broken
            // connection and never read why.
            case .unproven(let failure): note(failure, candidate.stream)
            case .foreign: reportForeign(candidate.stream.peer)
            case .unnamed: reportUnnamed(candidate.stream.peer)
            case .silent: if candidate.hasTimedOut { noteSilence(candidate.stream) }
            // A load balancer that looks whether the port is open is nobody's mistake.
            case .failed: if candidate.isIdentified { note(.handshake, candidate.stream) }
            }
        }
        candidates.removeAll(where: \.isOver)
    }

    /// Takes note of a connection that said nothing for so long.
    ///
    /// From the client's address it may be the client, which awaits the transfer in clear: it reads
    /// at the end what was missing.
    private func noteSilence(_ stream: NetworkStream) {
        guard blemish == nil, stream.peer.address == policy.controlPeer.address else { return }
        blemish = .handshake
        report("data connection without proof from \(stream.peer): silence")
    }

    private func note(_ failure: DataConnectionFailure, _ stream: NetworkStream) {
        if failure == .handshake { handleFailedSSLHandshake(remoteIP: "\(stream.peer.address)") }
        shortenWait()
        guard blemish?.isUnproven != true, blemish != failure else { return }
        blemish = failure
        let reason =
            stream.certificateRefusal.map { "client certificate refused: \($0.logText)" }
            ?? (stream.isNameRefused ? "another host than the session's (SNI)" : "\(failure)")
        report("data connection without proof from \(stream.peer): \(reason)")
    }

    private func shortenWait() {
        isWaitShort = true
        if isStarted { end = min(end, Deadline(after: Self.grace)) }
    }

    private func conclude(_ result: Result<AdmittedConnection, DataConnectionFailure>) {
        outcome = result
        switch result {
        case .success(let connection):
            closeListener()
            candidates.removeAll { _ in true }
            handleEstablished(remoteIP: "\(connection.stream.peer.address)")
            return
        case .failure(let failure): if failure == .notEstablished { handleTimeout() }
        }
        // Perhaps the client's own, of which its proxy has said nothing.
        for candidate in candidates.all where !candidate.isIdentified {
            reportUnnamed(candidate.stream.peer)
        }
        closeListener()
    }

    /// Closes the port, which the Warden keeps open as well.
    private func closeListener() {
        isClosed = true
        reportRest()
        listener?.endListening()
        listener = nil
    }

    /// Ends the connections that proved nothing, after the client was told why.
    final func dismissCandidates(_ buffer: TransferBuffer) {
        let deadline = Deadline(after: NetworkStream.dismissalTimeout)
        for candidate in candidates.all {
            guard case .unproven = candidate.state else { continue }
            candidate.stream.dismiss(buffer, until: deadline)
        }
        candidates.removeAll { _ in true }
    }
}
