internal import COpenSSL

/// The certificates of a PEM file, read to be looked at.
///
/// Owns one reference to each `X509`.
@safe final class CertificateChain {
    /// No chain is longer; OpenSSL's own limit is 100.
    private static let maximumCount = 20

    /// The certificates in their order; lent as long as this object lives.
    let pointers: [OpaquePointer]

    /// Reads what there is; a file that cannot be read holds none.
    init(file path: String) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        var pointers = unsafe [OpaquePointer]()
        if let file = unsafe BIO_new_file(path, "r") {
            defer { unsafe BIO_free_all(file) }
            for _ in 0..<Self.maximumCount {
                guard let next = unsafe PEM_read_bio_X509(file, nil, nil, nil) else { break }
                unsafe pointers.append(next)
            }
        }
        unsafe self.pointers = pointers
    }

    deinit {
        for index in unsafe pointers.indices { unsafe X509_free(pointers[index]) }
    }

    /// Who issued the first certificate: the next one, or itself; lent as this object lives.
    var issuerOfFirst: OpaquePointer? {
        guard let first = unsafe pointers.first else { return nil }
        let candidate = unsafe pointers.count > 1 ? pointers[1] : first
        return unsafe isIssued(first, by: candidate) ? candidate : nil
    }

    /// Whether the first certificate is for a host (X509_check_host(3)).
    func isFor(_ host: String) -> Bool {
        guard let first = unsafe pointers.first else { return false }
        return unsafe X509_check_host(first, host, host.utf8.count, 0, nil) == 1
    }

    /// What is wrong with the order, or missing at its end.
    var problem: CertificateFacts.ChainProblem? {
        for index in unsafe pointers.indices.dropFirst() {
            guard unsafe isIssued(pointers[index - 1], by: pointers[index]) else {
                return .disorder
            }
        }
        // Whether an intermediate leads to an authority that clients know is for them to say.
        guard unsafe pointers.count == 1, let only = unsafe pointers.first else { return nil }
        if unsafe X509_check_issued(only, only) == X509_V_OK { return nil }
        return unsafe isIssuedByAuthority(only) ? nil : .lacksIssuer
    }

    /// Whether the names fit, and the signature too: others may have the same name.
    private func isIssued(_ certificate: OpaquePointer, by issuer: OpaquePointer) -> Bool {
        guard unsafe X509_check_issued(issuer, certificate) == X509_V_OK,
            let key = unsafe X509_get0_pubkey(issuer)
        else { return false }
        return unsafe X509_verify(certificate, key) == 1
    }

    /// Whether the system's store of authorities has the issuer.
    private func isIssuedByAuthority(_ certificate: OpaquePointer) -> Bool {
        guard let store = unsafe X509_STORE_new() else { return false }
        defer { unsafe X509_STORE_free(store) }
        guard let search = unsafe X509_STORE_CTX_new() else { return false }
        defer { unsafe X509_STORE_CTX_free(search) }
        var issuer: OpaquePointer?
        guard unsafe X509_STORE_set_default_paths(store) == 1,
            unsafe X509_STORE_CTX_init(search, store, certificate, nil) == 1,
            unsafe X509_STORE_CTX_get1_issuer(&issuer, search, certificate) == 1
        else { return false }
        unsafe X509_free(issuer)
        return true
    }
}
