internal import COpenSSL
internal import LinuxSystem

/// Certificate, key and policy shared by every connection of one listener.
///
/// Owns one reference to an `SSL_CTX`. Where the keys are is the creator's choice: ``KeyPlace``.
@safe package final class TLSContext {
    let pointer: OpaquePointer
    private var store: AuthorityStore?
    private var serverCertificates: [[UInt8]] = []

    /// Checks that clients hold the keys of their certificates, without this context's keys.
    package var clientProofCheck: ClientProofCheck {
        ClientProofCheck(store: store, serverCertificates: serverCertificates)
    }

    /// Whether data connections offer their keys to the kernel.
    private(set) var encryptsInKernel = false

    /// The hosts that clients may name.
    private(set) var hosts: ServerHosts?

    private init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe SSL_CTX_free(pointer)
    }

    /// Creates a context for the accepting side.
    ///
    /// No tickets are issued by themselves; see ``TLSConnection/issueTicket()``.
    ///
    /// - Parameters:
    ///   - certificates: The server's certificates, of different kinds of key.
    ///   - hosts: Certificates for hosts that clients may name, numbered after those.
    ///   - names: Which names are taken.
    ///   - keys: Which process signs.
    ///   - policy: What may be negotiated.
    /// - Returns: A context that every session may use.
    /// - Throws: ``TLSError``; ``TLSError/Code/certificate``, ``TLSError/Code/privateKey`` and
    ///   ``TLSError/Code/keyMismatch`` are for the administrator to mend.
    package static func server(
        _ certificates: [CertificateFiles],
        hosts: [HostFiles] = [],
        names: ServerNamePolicy = ServerNamePolicy(),
        keys: KeyPlace = .here,
        policy: TLSPolicy
    ) throws(TLSError) -> TLSContext {
        let context = try empty()
        try context.apply(policy)
        var number = 0
        var responses: [[UInt8]: StapledResponse] = [:]
        func load(_ files: CertificateFiles, into holder: TLSContext) throws(TLSError) {
            try holder.load(files, keys, number)
            number += 1
            // One that cannot be handed out is left out; the administrator hears of it elsewhere.
            guard let file = files.response,
                let response = try? StapledResponse(file: file, for: files.certificate)
            else { return }
            guard let certificate = unsafe SSL_CTX_get0_certificate(holder.pointer),
                let digest = unsafe certificateDigest(certificate)
            else { return }
            responses[digest] = response
        }
        for files in certificates { try load(files, into: context) }
        var others: [String: [TLSContext]] = [:]
        for host in hosts {
            for files in host.certificates {
                let holder = try empty()
                try load(files, into: holder)
                context.serverCertificates += holder.serverCertificates
                others[host.name, default: []].append(holder)
            }
        }
        try context.serve(ServerHosts(names, others, responses))
        return context
    }

    /// Creates a context for the accepting side from a certificate that was read before.
    ///
    /// Takes no reference over.
    static func server(
        _ certificate: OpaquePointer,
        _ key: OpaquePointer,
        _ chain: OpaquePointer?,
        policy: TLSPolicy
    ) throws(TLSError) -> TLSContext {
        let context = try empty()
        try context.apply(policy)
        guard
            unsafe SSL_CTX_use_cert_and_key(context.pointer, certificate, key, chain, 1) == 1
        else { throw .draining(.certificate) }
        try context.keepCertificate()
        try context.serve(ServerHosts(ServerNamePolicy(), [:], [:]))
        return context
    }

    /// Lends the certificate, its key and its chain.
    func lendCredentials<Result>(
        _ body: (OpaquePointer, OpaquePointer, OpaquePointer?) -> Result?
    ) -> Result? {
        var chain: OpaquePointer?
        guard let certificate = unsafe SSL_CTX_get0_certificate(pointer),
            let key = unsafe SSL_CTX_get0_privatekey(pointer),
            unsafe COpenSSL_SSL_CTX_get0_chain_certs(pointer, &chain) == 1
        else { return nil }
        return unsafe body(certificate, key, chain)
    }

    /// Has handshakes ask for the hosts that clients name.
    private func serve(_ hosts: ServerHosts) throws(TLSError) {
        self.hosts = hosts
        unsafe SSL_CTX_set_client_hello_cb(pointer, chooseHost, nil)
        guard
            unsafe COpenSSL_SSL_CTX_set_tlsext_servername_callback(pointer, acknowledgeName) == 1,
            unsafe COpenSSL_SSL_CTX_set_tlsext_status_cb(pointer, stapleResponse) == 1
        else { throw .draining(.configuration) }
    }

    private static func empty() throws(TLSError) -> TLSContext {
        ERR_clear_error()
        guard let pointer = unsafe SSL_CTX_new(TLS_server_method()) else {
            throw .draining(.allocation)
        }
        return unsafe TLSContext(owning: pointer)
    }

    private func load(
        _ files: CertificateFiles,
        _ keys: KeyPlace,
        _ number: Int
    ) throws(TLSError) {
        do throws(TLSError) {
            guard unsafe SSL_CTX_use_certificate_chain_file(pointer, files.certificate) == 1 else {
                throw .draining(.certificate)
            }
            try keepCertificate()
            switch keys {
            case .here: try useKey(files.privateKey)
            case .elsewhere: try useRemoteKey(Int32(clamping: number))
            }
        } catch {
            throw error.about(number)
        }
    }

    /// Has a handshake use the certificate of this context.
    func lendCertificate(to ssl: OpaquePointer) -> Bool {
        unsafe lendCredentials { unsafe SSL_use_cert_and_key(ssl, $0, $1, $2, 1) == 1 } ?? false
    }

    /// The host that this process's session is with, named by HOST or in the handshake.
    ///
    /// Later connections that name another one are refused.
    package var sessionHost: String? {
        get { hosts?.session }
        set { hosts?.session = newValue }
    }

    /// Keeps the certificate that was read last, as handshakes show it.
    private func keepCertificate() throws(TLSError) {
        guard let certificate = unsafe SSL_CTX_get0_certificate(pointer) else {
            throw .draining(.certificate)
        }
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_X509(certificate, &encoded)
        guard count > 0, let encoded = unsafe encoded else { throw .draining(.certificate) }
        defer { unsafe CRYPTO_free(encoded, nil, 0) }
        let bytes = unsafe UnsafeBufferPointer(start: encoded, count: Int(count))
        unsafe serverCertificates.append(Array(bytes))
    }

    /// Reads the key of the certificate that was read last.
    private func useKey(_ file: String) throws(TLSError) {
        guard unsafe SSL_CTX_use_PrivateKey_file(pointer, file, SSL_FILETYPE_PEM) == 1 else {
            // OpenSSL compares the key with the certificate already when it loads it.
            let error = TLSError.draining(.privateKey)
            let isMismatch = error.queue.contains {
                ERR_GET_REASON(UInt($0)) == X509_R_KEY_VALUES_MISMATCH
                    || ERR_GET_REASON(UInt($0)) == X509_R_KEY_TYPE_MISMATCH
            }
            throw isMismatch ? TLSError(.keyMismatch, queue: error.queue) : error
        }
        guard unsafe SSL_CTX_check_private_key(pointer) == 1 else {
            throw .draining(.keyMismatch)
        }
    }

    /// Leaves the key of the certificate that was read last to another process.
    private func useRemoteKey(_ number: Int32) throws(TLSError) {
        guard let certificate = unsafe SSL_CTX_get0_certificate(pointer),
            let half = unsafe X509_get0_pubkey(certificate),
            let key = unsafe RemoteSigner.makeKey(half, number: number)
        else { throw .draining(.privateKey) }
        // The context holds a reference of its own.
        defer { unsafe EVP_PKEY_free(key) }
        guard unsafe SSL_CTX_use_PrivateKey(pointer, key) == 1 else {
            throw .draining(.keyMismatch)
        }
    }

    private func apply(_ policy: TLSPolicy) throws(TLSError) {
        encryptsInKernel = policy.encryptsInKernel
        let floor = policy.allows12 ? TLS1_2_VERSION : TLS1_3_VERSION
        let ceiling = policy.allows13 ? TLS1_3_VERSION : TLS1_2_VERSION
        guard
            unsafe COpenSSL_SSL_CTX_set_min_proto_version(pointer, floor) == 1,
            unsafe COpenSSL_SSL_CTX_set_max_proto_version(pointer, ceiling) == 1,
            setSuites12(policy.suites12),
            unsafe SSL_CTX_set_ciphersuites(
                pointer,
                policy.suites13.joined(separator: ":")
            ) == 1,
            unsafe COpenSSL_SSL_CTX_set1_groups_list(pointer, policy.groups) == 1,
            setSignatures(policy.level.signatures),
            unsafe SSL_CTX_set_num_tickets(pointer, 0) == 1
        else {
            throw .draining(.configuration)
        }
        _ = unsafe SSL_CTX_set_options(
            pointer,
            COpenSSL_SSL_OP_NO_RENEGOTIATION | COpenSSL_SSL_OP_NO_COMPRESSION
                | COpenSSL_SSL_OP_NO_CERTIFICATE_COMPRESSION
                | COpenSSL_SSL_OP_CIPHER_SERVER_PREFERENCE
        )
        if policy.choice?.isOrdered != true {
            // Who has no AES in hardware wants ChaCha20 first, unless the administrator does not.
            _ = unsafe SSL_CTX_set_options(pointer, COpenSSL_SSL_OP_PRIORITIZE_CHACHA)
        }
        _ = unsafe COpenSSL_SSL_CTX_set_mode(pointer, Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
        _ = unsafe COpenSSL_SSL_CTX_set_mode(pointer, Int(SSL_MODE_RELEASE_BUFFERS))
        unsafe SSL_CTX_set_alpn_select_cb(pointer, selectApplicationProtocol, nil)
        if policy.clientCertificates.isRequested { try apply(policy.clientCertificates) }
    }

    private func apply(_ policy: ClientCertificatePolicy) throws(TLSError) {
        let mode = SSL_VERIFY_PEER | (policy.isRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
        if policy.isValidated {
            unsafe SSL_CTX_set_verify(pointer, mode, judgeCertificate)
        } else {
            unsafe SSL_CTX_set_verify(pointer, mode, takeAnyCertificate)
        }
        _ = unsafe COpenSSL_SSL_CTX_set_max_cert_list(
            pointer,
            ClientCertificatePolicy.maximumChainByteCount
        )
        if let file = policy.authoritiesFile {
            var names = try AuthorityNames.load(file)
            unsafe SSL_CTX_set_client_CA_list(pointer, names.take())
        }
        if policy.isProved {
            guard
                unsafe SSL_CTX_add_custom_ext(
                    pointer,
                    CUnsignedInt(HandshakeRecording.challengeExtension),
                    CUnsignedInt(SSL_EXT_TLS1_3_CERTIFICATE_REQUEST),
                    addChallenge,
                    freeChallenge,
                    nil,
                    nil,
                    nil
                ) == 1
            else { throw .draining(.configuration) }
            unsafe SSL_CTX_set_cert_cb(pointer, nameChallenge, nil)
        }
        guard policy.isValidated else { return }
        let store = try AuthorityStore.load(policy)
        // A store for clients alone: the server's own chain is built from its file.
        guard
            unsafe COpenSSL_SSL_CTX_set1_verify_cert_store(pointer, store.pointer) == 1
        else { throw .draining(.configuration) }
        self.store = store
        unsafe SSL_CTX_set_verify_depth(pointer, ClientCertificatePolicy.maximumDepth)
    }

    private func setSignatures(_ list: String?) -> Bool {
        guard let list else { return true }
        return unsafe COpenSSL_SSL_CTX_set1_sigalgs_list(pointer, list) == 1
    }

    /// OpenSSL takes no empty list, and needs none without TLS 1.2.
    private func setSuites12(_ suites: [String]) -> Bool {
        guard !suites.isEmpty else { return true }
        return unsafe SSL_CTX_set_cipher_list(pointer, suites.joined(separator: ":")) == 1
    }

    /// Forgets the sessions of a scope that has ended, and its ticket key; `false` where that fails.
    func endSessionScope() -> Bool {
        unsafe COpenSSL_SSL_CTX_forget_sessions(pointer)
        return (try? beginSessionScope()) != nil
    }

    /// Gives this process, or a session that shares it with others, a session scope of its own.
    ///
    /// Call it once in each Session, after the fork, and once for each session that uses the context after
    /// another one. The new random ticket key and session id
    /// context make every ticket and session id of another control connection undecipherable
    /// here, so only a connection's own data connections can resume it (RFC 4217 section 10.2
    /// leaves open which session may be resumed).
    ///
    /// Sessions live as long as the process: ``prolong(_:)``.
    package func beginSessionScope() throws(TLSError) {
        let keyLength = unsafe COpenSSL_SSL_CTX_set_tlsext_ticket_keys(pointer, nil, 0)
        guard keyLength > 0 else { throw .draining(.configuration) }
        var keys = randomBytes(count: keyLength)
        let identifier = randomBytes(count: Int(SSL_MAX_SID_CTX_LENGTH))
        let accepted = unsafe keys.withUnsafeMutableBytes { buffer in
            let result = unsafe COpenSSL_SSL_CTX_set_tlsext_ticket_keys(
                pointer,
                buffer.baseAddress,
                buffer.count
            )
            unsafe wipeMemory(buffer)
            return result
        }
        guard
            accepted == 1,
            unsafe SSL_CTX_set_session_id_context(
                pointer,
                identifier,
                CUnsignedInt(identifier.count)
            ) == 1,
            unsafe SSL_CTX_set_session_ticket_cb(pointer, markTicket, judgeTicket, nil) == 1
        else {
            throw .draining(.configuration)
        }
        unsafe SSL_CTX_set_timeout(pointer, ticketLifetime)
        _ = unsafe COpenSSL_SSL_CTX_set_session_cache_mode(pointer, Int(SSL_SESS_CACHE_SERVER))
        _ = unsafe COpenSSL_SSL_CTX_sess_set_cache_size(pointer, 16)
    }
}
