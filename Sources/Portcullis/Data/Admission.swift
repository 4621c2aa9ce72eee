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
    /// Nothing: any address is admitted (`pasv_promiscuous` or `port_promiscuous`).
    case none
}

/// The rules by which data connections are admitted.
struct AdmissionPolicy {
    /// The control connection's peer.
    let controlPeer: SocketAddress

    /// The SHA-256 digest of the certificate that the control connection showed.
    let controlCertificate: [UInt8]?

    /// Only a session or a certificate proves anything (`require_ssl_reuse`).
    let requiresReuse: Bool

    /// Any address may connect (`pasv_promiscuous`).
    let isPromiscuous: Bool

    /// Whether a connection from `peer` is looked at any further.
    func mayApproach(_ peer: SocketAddress) -> Bool {
        isPromiscuous || peer.address == controlPeer.address
    }

    /// The proof that a connection brings, after its handshake if there is one; `nil` for none that
    /// suffices.
    func proof(of stream: NetworkStream) -> AdmissionProof? {
        if stream.isResumed { return .session }
        if let controlCertificate, stream.peerCertificateDigest == controlCertificate {
            return .certificate
        }
        // In clear there is no session that could be asked for.
        if stream.isTLS, requiresReuse { return nil }
        if stream.peer.address == controlPeer.address { return .address }
        return isPromiscuous ? AdmissionProof.none : nil
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
}
