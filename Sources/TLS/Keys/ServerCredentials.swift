internal import COpenSSL
internal import Synchronization

/// A certificate with its key, and contexts made of them, of which each session of a program is lent one.
///
/// Contexts hold what belongs to one session alone: the ticket key and the sessions that may be
/// resumed. What they share here is read once and never changed.
// SAFETY: OpenSSL counts references to certificates and keys atomically, and nothing changes them.
@safe package final class ServerCredentials: @unchecked Sendable {
    /// A context that no session uses.
    // SAFETY: nothing else refers to it, so it is whoever's takes it out of ``idle``.
    private struct Idle: @unchecked Sendable {
        let context: TLSContext
    }

    /// As many contexts are kept; making one takes longer than a handshake.
    private static let maximumIdleCount = 64

    private let idle = Mutex<[Idle]>([])
    private let certificate: OpaquePointer
    private let key: OpaquePointer
    private let chain: OpaquePointer?
    private let policy: TLSPolicy

    private init(
        owning certificate: OpaquePointer,
        _ key: OpaquePointer,
        _ chain: OpaquePointer?,
        _ policy: TLSPolicy
    ) {
        unsafe self.certificate = certificate
        unsafe self.key = key
        unsafe self.chain = chain
        self.policy = policy
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
        unsafe COpenSSL_sk_X509_free_all(chain)
    }

    /// Reads a certificate and its key.
    ///
    /// - Returns: What contexts are made of.
    /// - Throws: ``TLSError``; ``TLSError/Code/certificate``, ``TLSError/Code/privateKey`` and
    ///   ``TLSError/Code/keyMismatch`` are for whoever named the files to mend.
    package static func load(
        _ files: CertificateFiles,
        policy: TLSPolicy
    ) throws(TLSError) -> ServerCredentials {
        let context = try TLSContext.server([files], policy: policy)
        guard
            let credentials = unsafe context.lendCredentials({ certificate, key, chain in
                let copy = unsafe chain.flatMap { unsafe X509_chain_up_ref($0) }
                guard unsafe chain == nil || copy != nil, unsafe X509_up_ref(certificate) == 1
                else {
                    unsafe COpenSSL_sk_X509_free_all(copy)
                    return ServerCredentials?.none
                }
                guard unsafe EVP_PKEY_up_ref(key) == 1 else {
                    unsafe X509_free(certificate)
                    unsafe COpenSSL_sk_X509_free_all(copy)
                    return nil
                }
                return unsafe ServerCredentials(owning: certificate, key, copy, policy)
            })
        else { throw .draining(.allocation) }
        return credentials
    }

    /// Lends a context that no other session uses, with a session scope to begin.
    ///
    /// - Throws: ``TLSError`` when there is none.
    package func takeContext() throws(TLSError) -> TLSContext {
        if let kept = idle.withLock({ $0.popLast() }) { return kept.context }
        return try unsafe TLSContext.server(certificate, key, chain, policy: policy)
    }

    /// Takes a context back whose session is over, unless somebody else still refers to it.
    package func giveBack(_ context: inout TLSContext?) {
        guard var returned = context.take(), isKnownUniquelyReferenced(&returned),
            returned.endSessionScope()
        else { return }
        let kept = Idle(context: returned)
        idle.withLock { if $0.count < Self.maximumIdleCount { $0.append(kept) } }
    }
}
