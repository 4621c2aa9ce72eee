internal import COpenSSL
internal import CRemoteKey
internal import LinuxSystem

/// One session with a client of its own making, before the first fork.
///
/// OpenSSL looks algorithms up at their first use and remembers them, and so does the dynamic linker
/// with functions and Swift's runtime with types. What they remember in the process that forks, no
/// session has to find out again, nor to keep a copy of.
package enum TLSRehearsal {
    /// Steps of a handshake between two ends that each wait for the other; many more than it takes.
    private static let maximumStepCount = 64

    /// Has what OpenSSL makes until ``settle()``, and writes to in each session, lie together.
    ///
    /// Holders are counted in it, and locks are taken; a forked process copies the pages where it lies.
    /// Which objects these are, another process finds out by a session of its own, and ends.
    /// Call it in a process of one thread, before anything else that uses OpenSSL.
    package static func gather() {
        guard CRemoteKey_gather_objects() == 1 else { return }
        _ = try? inShortProcess(maximumByteCount: 0) {
            // What stays unknown is at worst copied by each session.
            try? observe()
            return []
        }
        CRemoteKey_use_learned_objects()
        // From the same beginning as there, for what is made first to be made in the same order.
        begin()
    }

    private static func begin() {
        _ = OPENSSL_init_ssl(UInt64(OPENSSL_INIT_LOAD_SSL_STRINGS), nil)
    }

    /// Finds out what a session writes to.
    private static func observe() throws(TLSError) {
        guard CRemoteKey_observe_objects() == 1 else { throw TLSError(.allocation) }
        begin()
        try run(TLSPolicy())
        CRemoteKey_remember_objects()
        let context = try throwawayContext(TLSPolicy())
        let clients = [
            try RehearsingClient(version: TLS1_2_VERSION),
            try RehearsingClient(version: TLS1_3_VERSION),
            try RehearsingClient(version: TLS1_3_VERSION, groups: "P-256"),
        ]
        // A session is a process that was forked, in which OpenSSL seeds its generators anew.
        _ = try? inShortProcess(maximumByteCount: 0) {
            guard CRemoteKey_watch_objects() == 1 else { return [] }
            for client in clients { try? run(context, client) }
            // What goes at the end is of no session.
            CRemoteKey_look_away(1)
            return withExtendedLifetime((context, clients)) { [] }
        }
    }

    /// Ends what ``gather()`` has begun, before the first session.
    package static func settle() { CRemoteKey_settle_objects() }

    /// Rehearses every version that `policy` offers.
    ///
    /// The certificate, the keys and the sessions are made for this and thrown away.
    ///
    /// - Throws: ``TLSError``. Sessions work all the same, at a higher price.
    package static func run(_ policy: TLSPolicy) throws(TLSError) {
        var policy = policy
        policy.clientCertificates = ClientCertificatePolicy()
        if policy.allows12 { try run(policy, TLS1_2_VERSION) }
        if policy.allows13 { try run(policy, TLS1_3_VERSION) }
    }

    /// Takes handshakes of the server's own as far as the signature, which is none: only another process
    /// can make it.
    ///
    /// - Throws: ``TLSError``. Sessions work all the same, at a higher price.
    package static func run(_ context: TLSContext) throws(TLSError) {
        let versions = [TLS1_2_VERSION, TLS1_3_VERSION]
        do throws(SystemError) {
            try RemoteSigner.rehearse(versions.count) {
                for version in versions { try? begin(context, version) }
            }
        } catch {
            throw TLSError(.transport)
        }
        context.sessionHost = nil
        ERR_clear_error()
    }

    private static func begin(_ context: TLSContext, _ version: CInt) throws(TLSError) {
        guard let pair = try? StreamPair() else { throw TLSError(.transport) }
        let client = try RehearsingClient(version: version)
        var server = try TLSConnection.accepting(on: pair.first, context: context, role: .control)
        try unsafe client.connect(pair.second.number, resuming: nil)
        try alternate(server: { server.handshake() }, client: { client.handshake() })
    }

    private static func run(_ policy: TLSPolicy, _ version: CInt) throws(TLSError) {
        try run(throwawayContext(policy), RehearsingClient(version: version))
    }

    /// Runs a session of two connections.
    private static func run(
        _ context: TLSContext,
        _ client: RehearsingClient
    ) throws(TLSError) {
        try context.beginSessionScope()
        try unsafe rehearse(.control, context, client, resuming: nil)
        guard let session = unsafe client.session() else { throw TLSError(.transport) }
        defer { unsafe SSL_SESSION_free(session) }
        try unsafe rehearse(.data, context, client, resuming: session)
    }

    /// A context with a key that nobody knows.
    private static func throwawayContext(_ policy: TLSPolicy) throws(TLSError) -> TLSContext {
        var context: Result<TLSContext, TLSError>?
        try unsafe SelfSignedCertificate.withNew(days: 1) { certificate, key in
            context = Result { () throws(TLSError) in
                try unsafe TLSContext.server(certificate, key, nil, policy: policy)
            }
            return true
        }
        guard let context else { throw TLSError(.configuration) }
        return try context.get()
    }

    /// Runs one connection from the handshake to the end.
    private static func rehearse(
        _ role: TLSRole,
        _ context: TLSContext,
        _ client: RehearsingClient,
        resuming session: OpaquePointer?
    ) throws(TLSError) {
        let pair: StreamPair
        do throws(SystemError) {
            pair = try StreamPair()
        } catch {
            throw TLSError(.transport)
        }
        var server = try TLSConnection.accepting(on: pair.first, context: context, role: role)
        try unsafe client.connect(pair.second.number, resuming: session)
        try alternate(server: { server.handshake() }, client: { client.handshake() })
        try complete { server.issueTicket() }
        let piece = [UInt8](repeating: 0, count: 1_024)
        guard case .bytes = unsafe piece.withUnsafeBytes({ unsafe server.write($0) }) else {
            throw TLSError(.transport)
        }
        try complete { server.flush() }
        guard client.read(), client.write(piece), read(from: &server) else {
            throw TLSError(.transport)
        }
        try complete { server.sendCloseNotify() }
        client.close()
        _ = read(from: &server)
        _ = server.summary
    }

    private static func read(from server: inout TLSConnection) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 2_048)
        let outcome = unsafe buffer.withUnsafeMutableBytes { unsafe server.read(into: $0) }
        guard case .bytes = outcome else { return false }
        return true
    }

    private static func alternate(
        server: () -> TLSStep,
        client: () -> Bool
    ) throws(TLSError) {
        for _ in 0..<maximumStepCount {
            let isClientDone = client()
            switch server() {
            case .done: if isClientDone { return }
            case .wantsRead, .wantsWrite: continue
            case .failed(let error): throw error
            }
        }
        throw TLSError(.handshake)
    }

    /// The sockets of a rehearsal are never full.
    private static func complete(_ step: () -> TLSStep) throws(TLSError) {
        switch step() {
        case .done: return
        case .failed(let error): throw error
        case .wantsRead, .wantsWrite: throw TLSError(.transport)
        }
    }
}

/// The other side of a rehearsal.
@safe private final class RehearsingClient {
    private let context: OpaquePointer
    private var connection: OpaquePointer?

    init(version: CInt, groups: String? = nil) throws(TLSError) {
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw .draining(.allocation)
        }
        unsafe self.context = context
        guard
            unsafe COpenSSL_SSL_CTX_set_min_proto_version(context, version) == 1,
            unsafe COpenSSL_SSL_CTX_set_max_proto_version(context, version) == 1
        else { throw .draining(.configuration) }
        if let groups, unsafe COpenSSL_SSL_CTX_set1_groups_list(context, groups) != 1 {
            throw .draining(.configuration)
        }
    }

    deinit {
        unsafe SSL_free(connection)
        unsafe SSL_CTX_free(context)
    }

    /// Does the client's part, which no process of a server does.
    private func acting<Result>(_ body: () -> Result) -> Result {
        CRemoteKey_look_away(1)
        defer { CRemoteKey_look_away(0) }
        return body()
    }

    func connect(_ descriptor: CInt, resuming session: OpaquePointer?) throws(TLSError) {
        let isReady = acting { unsafe begin(descriptor, session) }
        guard isReady else { throw .draining(.allocation) }
    }

    private func begin(_ descriptor: CInt, _ session: OpaquePointer?) -> Bool {
        unsafe SSL_free(connection)
        unsafe connection = SSL_new(context)
        guard let connection = unsafe connection,
            unsafe SSL_set_fd(connection, descriptor) == 1
        else { return false }
        if let session = unsafe session, unsafe SSL_set_session(connection, session) != 1 {
            return false
        }
        unsafe SSL_set_connect_state(connection)
        return true
    }

    func handshake() -> Bool { acting { unsafe SSL_do_handshake(connection) == 1 } }

    /// The session of the connection, which the caller has to free.
    func session() -> OpaquePointer? { unsafe SSL_get1_session(connection) }

    func read() -> Bool {
        acting {
            var byte: UInt8 = 0
            return unsafe SSL_read(connection, &byte, 1) == 1
        }
    }

    func write(_ bytes: [UInt8]) -> Bool {
        acting { unsafe SSL_write(connection, bytes, CInt(bytes.count)) == CInt(bytes.count) }
    }

    func close() { _ = acting { unsafe SSL_shutdown(connection) } }
}
