/// The hosts that a server has certificates for, and the one that a session is with.
///
/// What callbacks of OpenSSL need to know of a context.
final class ServerHosts {
    /// Which names are taken.
    let policy: ServerNamePolicy

    /// The certificates of each host, in contexts that hold them and nothing else.
    let certificates: [String: [TLSContext]]

    /// The host of the session that this process serves; `nil` when nobody named one.
    var session: String?

    /// The OCSP responses by ``certificateDigest(_:)``.
    let responses: [[UInt8]: StapledResponse]

    init(
        _ policy: ServerNamePolicy,
        _ certificates: [String: [TLSContext]],
        _ responses: [[UInt8]: StapledResponse]
    ) {
        self.policy = policy
        self.certificates = certificates
        self.responses = responses
    }
}
