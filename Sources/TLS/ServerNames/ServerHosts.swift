/// The hosts that a server has certificates for, and the one that a session is with.
final class ServerHosts {
    /// Which names are taken.
    let policy: ServerNamePolicy

    /// The certificates of each host, in contexts that hold them and nothing else.
    let certificates: [String: [TLSContext]]

    /// The host of the session that this process serves; `nil` when nobody named one.
    var session: String?

    init(_ policy: ServerNamePolicy, _ certificates: [String: [TLSContext]]) {
        self.policy = policy
        self.certificates = certificates
    }
}
