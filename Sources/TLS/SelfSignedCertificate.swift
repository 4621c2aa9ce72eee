internal import COpenSSL

/// A certificate that nobody vouches for, with its key: enough to try TLS out.
package struct SelfSignedCertificate {
    /// The certificate in PEM.
    package let certificate: [UInt8]

    /// The private key in PEM.
    ///
    /// Goes into a file that only its owner may read, and nowhere else.
    package let privateKey: [UInt8]

    /// Makes an ECDSA P-256 certificate for `localhost`, 127.0.0.1 and ::1.
    ///
    /// - Parameter days: How long it is valid, from now on.
    /// - Returns: The certificate and its key.
    /// - Throws: ``TLSError`` when OpenSSL cannot make one.
    package static func make(days: Int) throws(TLSError) -> SelfSignedCertificate {
        var pair: SelfSignedCertificate?
        try unsafe withNew(days: days) { certificate, key in
            guard let certificateText = unsafe pem({ unsafe PEM_write_bio_X509($0, certificate) }),
                let keyText = unsafe pem({
                    unsafe PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil)
                })
            else { return false }
            pair = SelfSignedCertificate(certificate: certificateText, privateKey: keyText)
            return true
        }
        guard let pair else { throw TLSError(.configuration) }
        return pair
    }

    /// Lends a new certificate and its key, which go when `body` returns.
    ///
    /// - Parameters:
    ///   - days: How long the certificate is valid, from now on.
    ///   - body: Takes what it needs, and returns whether that worked.
    /// - Throws: ``TLSError`` when OpenSSL cannot make one, or `body` returned `false`.
    static func withNew(
        days: Int,
        _ body: (_ certificate: OpaquePointer, _ key: OpaquePointer) -> Bool
    ) throws(TLSError) {
        ERR_clear_error()
        guard let key = unsafe COpenSSL_EVP_EC_gen("P-256") else { throw .draining(.allocation) }
        defer { unsafe EVP_PKEY_free(key) }
        guard let certificate = unsafe X509_new() else { throw .draining(.allocation) }
        defer { unsafe X509_free(certificate) }
        guard unsafe fill(certificate, key, days: days),
            unsafe X509_sign(certificate, key, EVP_sha256()) > 0,
            unsafe body(certificate, key)
        else { throw .draining(.configuration) }
    }

    private static func fill(
        _ certificate: OpaquePointer,
        _ key: OpaquePointer,
        days: Int
    ) -> Bool {
        guard
            unsafe X509_set_version(certificate, 2) == 1,
            unsafe ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1,
            unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), -60) != nil,
            unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86_400) != nil,
            unsafe X509_set_pubkey(certificate, key) == 1,
            let name = unsafe X509_get_subject_name(certificate),
            unsafe X509_NAME_add_entry_by_txt(
                name,
                "CN",
                COpenSSL_MBSTRING_UTF8,
                "localhost",
                -1,
                -1,
                0
            ) == 1,
            unsafe X509_set_issuer_name(certificate, name) == 1
        else { return false }
        return unsafe add(
            NID_subject_alt_name,
            "DNS:localhost,IP:127.0.0.1,IP:::1",
            to: certificate
        )
            && add(NID_basic_constraints, "critical,CA:TRUE", to: certificate)
    }

    private static func add(_ kind: CInt, _ value: String, to certificate: OpaquePointer) -> Bool {
        guard let field = unsafe X509V3_EXT_conf_nid(nil, nil, kind, value) else { return false }
        defer { unsafe X509_EXTENSION_free(field) }
        return unsafe X509_add_ext(certificate, field, -1) == 1
    }

    private static func pem(_ write: (OpaquePointer) -> CInt) -> [UInt8]? {
        guard let output = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free_all(output) }
        guard unsafe write(output) == 1 else { return nil }
        var text = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe BIO_read(output, &text, CInt(text.count))
        return count > 0 ? [UInt8](text.prefix(Int(count))) : nil
    }
}
