internal import COpenSSL

/// The authorities that vouch for clients, and what they have revoked.
///
/// Owns one reference to an `X509_STORE`.
@safe final class AuthorityStore {
    let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe X509_STORE_free(pointer)
    }

    /// Reads the files of a policy, now and for good.
    ///
    /// - Throws: ``TLSError/Code/authorities`` and ``TLSError/Code/revocations`` for files that
    ///   cannot be read or hold none.
    static func load(_ policy: ClientCertificatePolicy) throws(TLSError) -> AuthorityStore {
        ERR_clear_error()
        guard let pointer = unsafe X509_STORE_new() else { throw .draining(.allocation) }
        let store = unsafe AuthorityStore(owning: pointer)
        if let file = policy.authoritiesFile {
            guard unsafe X509_STORE_load_file(pointer, file) == 1 else {
                throw .draining(.authorities)
            }
        }
        if let file = policy.revocationsFile {
            guard
                let lookup = unsafe X509_STORE_add_lookup(pointer, X509_LOOKUP_file()),
                unsafe X509_load_crl_file(lookup, file, X509_FILETYPE_PEM) > 0,
                // Of every certificate in the chain, not of the client's alone.
                unsafe X509_STORE_set_flags(
                    pointer,
                    UInt(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL)
                ) == 1
            else { throw .draining(.revocations) }
        }
        guard unsafe X509_STORE_set_depth(pointer, ClientCertificatePolicy.maximumDepth) == 1 else {
            throw .draining(.configuration)
        }
        return store
    }
}

/// The names of authorities, as a request for a certificate lists them.
///
/// Owns a `STACK_OF(X509_NAME)`.
@safe struct AuthorityNames: ~Copyable {
    private var pointer: OpaquePointer?

    /// Reads the names out of a file; none when they are too long to be told.
    static func load(_ file: String) throws(TLSError) -> AuthorityNames {
        ERR_clear_error()
        guard let pointer = unsafe SSL_load_client_CA_file(file) else {
            throw .draining(.authorities)
        }
        var names = unsafe AuthorityNames(pointer: pointer)
        if names.byteCount > ClientCertificatePolicy.maximumNamesByteCount { names.free() }
        return names
    }

    private init(pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe COpenSSL_sk_X509_NAME_free_all(pointer)
    }

    private var byteCount: Int {
        var sum = 0
        let count = unsafe OPENSSL_sk_num(pointer)
        for index in 0..<max(0, count) {
            let name = unsafe OPENSSL_sk_value(pointer, index)
            sum += Int(unsafe i2d_X509_NAME(OpaquePointer(name), nil)) + 2
        }
        return sum
    }

    private mutating func free() {
        unsafe COpenSSL_sk_X509_NAME_free_all(pointer.take())
    }

    /// Gives the names away.
    mutating func take() -> OpaquePointer? { unsafe pointer.take() }
}
