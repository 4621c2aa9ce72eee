internal import FTPProtocol
internal import LinuxSystem
internal import TLS

/// Makes a data connection to the client (PORT, EPRT).
///
/// The client accepts the TCP connection and still begins the TLS handshake (RFC 4217 section 7).
final class ActiveDTP: DataSource {
    let level: ProtectionLevel
    private let remote: SocketAddress
    private let policy: AdmissionPolicy
    private let tls: TLSContext?
    private let handshakeTimeout: Duration
    private var stream: NetworkStream?
    private var handshake: DataHandshake?
    private let end: Deadline
    private var isStarted = false
    private var outcome: Result<AdmittedConnection, DataConnectionFailure>?

    /// Follows a connection that was just started.
    init(
        _ socket: consuming OwnedDescriptor,
        to remote: SocketAddress,
        level: ProtectionLevel,
        policy: AdmissionPolicy,
        tls: TLSContext?,
        connectTimeout: Duration,
        handshakeTimeout: Duration
    ) {
        stream = NetworkStream(owning: socket, peer: remote)
        self.remote = remote
        self.level = level
        self.policy = policy
        self.tls = tls
        self.handshakeTimeout = handshakeTimeout
        end = Deadline(after: connectTimeout)
    }

    var pollEntries: [PollEntry] {
        guard outcome == nil else { return [] }
        if let handshake { return [handshake.pollEntry] }
        guard let stream else { return [] }
        return [PollEntry(stream.descriptor.number, writing: true)]
    }

    var deadline: Deadline {
        guard outcome == nil else { return .never }
        return handshake?.expiry ?? end
    }

    /// This end of the connection, once it stands.
    var ownEnd: SocketAddress? {
        guard handshake != nil else { return nil }
        return (try? stream?.descriptor.localAddress()) ?? nil
    }

    func start() {
        isStarted = true
        handshake?.start()
    }

    func advance() {
        guard outcome == nil else { return }
        if let stream, handshake == nil {
            var entries = [PollEntry(stream.descriptor.number, writing: true)]
            _ = try? poll(&entries, until: .passed)
            guard entries[0].isWritable else {
                if end.hasPassed { outcome = .failure(.notEstablished) }
                return
            }
            guard stream.descriptor.connectionError() == nil else {
                outcome = .failure(.notEstablished)
                return
            }
            handshake = DataHandshake(
                stream,
                level: level,
                policy: policy,
                tls: tls,
                timeout: handshakeTimeout,
                isStarted: isStarted
            )
        }
        handshake?.advance()
        switch handshake?.state {
        case .admitted(let connection): outcome = .success(connection)
        case .unproven(let failure): outcome = .failure(failure)
        case .failed, .silent, .foreign, .unnamed: outcome = .failure(.handshake)
        case .waiting, nil: break
        }
    }

    func takeOutcome() -> Result<AdmittedConnection, DataConnectionFailure>? { outcome }
}
