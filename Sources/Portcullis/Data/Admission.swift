internal import FTPProtocol
internal import LinuxSystem
internal import TLS

/// What proved that a data connection belongs to its control connection, strongest first.
enum AdmissionProof: String {
    /// It resumed the control connection's TLS session.
    case session
    /// It showed the same client certificate.
    case certificate
    /// It comes from the control connection's address, or leads to it.
    case address
    /// Nothing: other addresses are admitted (`pasv_promiscuous`, `pasv_promiscuous_networks`,
    /// `port_promiscuous`, `permit_foreign_addresses`).
    case none
}

/// Whether a data connection has to bring a session or a certificate (`require_ssl_reuse`).
enum ReuseRule: Hashable {
    /// It has to.
    case required
    /// Others have to, and here the address is enough.
    case waived(Waiver)
    /// Nobody has to.
    case notRequired

    /// Who is spared.
    enum Waiver: String {
        /// The user (`require_ssl_reuse=NO` among the user's own options).
        case user
        /// The network that the control connection comes from (`ssl_reuse_exempt_networks`).
        case network
    }

    /// The rule for a session with `peer`.
    ///
    /// What was written for the user counts for more than the network, and that for more than what
    /// holds for everybody.
    init(_ tls: Configuration.TLS, _ peer: IPAddress) {
        self =
            switch (tls.requiresReuseOfUser, tls.requiresReuse) {
            case (true, _): .required
            case (_, false): .notRequired
            case (false, true): .waived(.user)
            case (nil, true):
                tls.reuseExemptNetworks.contain(peer) ? .waived(.network) : .required
            }
    }
}

/// The rules by which data connections are admitted.
struct AdmissionPolicy {
    /// The control connection's peer.
    let controlPeer: SocketAddress

    /// The SHA-256 digest of the certificate that the control connection showed.
    let controlCertificate: [UInt8]?

    /// Whether only a session or a certificate proves anything.
    let reuse: ReuseRule

    /// Whose connections are looked at.
    enum Origin {
        /// The control connection's peer.
        case controlAddress
        /// Anybody in these networks, which hold the control connection's peer.
        case networks([IPNetwork])
        /// Anybody.
        case anywhere
    }

    /// Whose connections are looked at.
    let origin: Origin

    /// Load balancers, which tell whom they speak for (`proxy_networks`).
    var proxies: [IPNetwork] = []

    /// Whether a connection from `peer` is looked at any further.
    func mayApproach(_ peer: SocketAddress) -> Bool {
        if peer.address == controlPeer.address { return true }
        switch origin {
        case .controlAddress: return false
        case .networks(let networks): return networks.contain(peer.address)
        case .anywhere: return true
        }
    }

    /// Judges a connection by the proof that it brings, after its handshake if there is one.
    func judge(_ stream: NetworkStream) -> Result<AdmissionProof, DataConnectionFailure> {
        if stream.isTLS, let controlCertificate {
            // Also where a session was resumed: the certificate that it was made with comes along.
            guard stream.peerCertificateDigest == controlCertificate else {
                return .failure(.otherCertificate)
            }
            return .success(stream.isResumed ? .session : .certificate)
        }
        if stream.isResumed { return .success(.session) }
        // In clear there is no session that could be asked for.
        if stream.isTLS, reuse == .required { return .failure(.notResumed) }
        if stream.peer.address == controlPeer.address { return .success(.address) }
        // Whoever is spared the session still brings the address, wherever others may come from.
        if stream.isTLS, case .waived = reuse { return .failure(.notResumed) }
        return mayApproach(stream.peer) ? .success(.none) : .failure(.notResumed)
    }
}

/// A data connection on which a transfer may run.
struct AdmittedConnection {
    let stream: NetworkStream
    let proof: AdmissionProof
}

/// Why there is no data connection.
enum DataConnectionFailure: Error, Hashable {
    /// Nobody connected in time, or the client could not be reached.
    case notEstablished
    /// TLS was not negotiated.
    case handshake
    /// A connection came, and did not resume the control connection's session.
    case notResumed
    /// A connection came, and did not show the control connection's client certificate.
    case otherCertificate

    /// Whether a connection came and its handshake was fine, yet it proved nothing.
    var isUnproven: Bool {
        switch self {
        case .notResumed, .otherCertificate: true
        case .notEstablished, .handshake: false
        }
    }
}
