internal import FTPProtocol
internal import LinuxSystem
internal import TLS

/// Makes a data connection to the client (PORT, EPRT).
///
/// The client accepts the TCP connection and still begins the TLS handshake (RFC 4217 section 7).
/// ``FTPHandler/Settings/activeDTP`` names a subclass to be used, of which the session makes one for
/// each connection.
open class ActiveDTP: DataSource {
    /// The session that the connection is made for.
    public final unowned let handler: FTPHandler

    /// The address that the client has named.
    public final let remoteIP: String

    /// The port that the client has named.
    public final let remotePort: UInt16

    final let level: ProtectionLevel
    private let policy: AdmissionPolicy
    private let tls: TLSContext?
    private let usualTimeout: Duration
    private let handshakeTimeout: Duration
    private var stream: NetworkStream?
    private var handshake: DataHandshake?
    private var end = Deadline.never
    private var isStarted = false
    private var outcome: Result<AdmittedConnection, DataConnectionFailure>?

    /// Follows a connection that was just started.
    ///
    /// - Parameter opening: What the session hands over, for one connection alone.
    public required init(_ opening: DTPOpening) {
        handler = opening.handler
        remoteIP = "\(opening.remote.address)"
        remotePort = opening.remote.port
        level = opening.level
        policy = opening.policy
        tls = opening.tls
        usualTimeout = opening.timeout
        handshakeTimeout = opening.handshakeTimeout
        stream = NetworkStream(owning: opening.takeSocket(), peer: opening.remote)
        end = Deadline(after: timeout)
    }

    // MARK: What may be done in another way

    /// How long the client may take to accept; ``FTPHandler/Settings/activeTimeout`` by itself.
    open var timeout: Duration { usualTimeout }

    /// Called when the connection stands, TLS included where that is asked for, before bytes move.
    open func handleConnect() {}

    /// Called when the client has not accepted in time, or not at all, before it is told (425).
    open func handleTimeout() {}

    /// Called when TLS could not be negotiated, before the client is told (522).
    open func handleFailedSSLHandshake() {}

    // MARK: Waiting

    final var pollEntries: [PollEntry] {
        guard outcome == nil else { return [] }
        if let handshake { return [handshake.pollEntry] }
        guard let stream else { return [] }
        return [PollEntry(stream.descriptor.number, writing: true)]
    }

    final var deadline: Deadline {
        guard outcome == nil else { return .never }
        return handshake?.expiry ?? end
    }

    /// This end of the connection, once it stands.
    final var ownEnd: SocketAddress? {
        guard handshake != nil else { return nil }
        return (try? stream?.descriptor.localAddress()) ?? nil
    }

    final func start() {
        isStarted = true
        handshake?.start()
    }

    final func advance(_ polled: [PollEntry]) {
        guard outcome == nil else { return }
        if let stream, handshake == nil {
            guard polled.first?.isWritable ?? false else {
                if end.hasPassed { conclude(.failure(.notEstablished)) }
                return
            }
            guard stream.descriptor.connectionError() == nil else {
                conclude(.failure(.notEstablished))
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
        case .admitted(let connection): conclude(.success(connection))
        case .unproven(let failure): conclude(.failure(failure))
        case .failed, .silent, .foreign, .unnamed: conclude(.failure(.handshake))
        case .waiting, nil: break
        }
    }

    private func conclude(_ result: Result<AdmittedConnection, DataConnectionFailure>) {
        outcome = result
        switch result {
        case .success: handleConnect()
        case .failure(.notEstablished): handleTimeout()
        case .failure(.handshake): handleFailedSSLHandshake()
        case .failure: break
        }
    }

    final func takeOutcome() -> Result<AdmittedConnection, DataConnectionFailure>? { outcome }
}
