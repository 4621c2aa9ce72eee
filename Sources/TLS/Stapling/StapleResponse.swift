internal import COpenSSL

/// Hands out the OCSP response of the certificate that a handshake uses.
///
/// OpenSSL calls it for clients that ask for one, after it has chosen the certificate.
func stapleResponse(_ ssl: OpaquePointer?, _: UnsafeMutableRawPointer?) -> CInt {
    guard let ssl = unsafe ssl, let notes = unsafe HandshakeNotes.of(ssl),
        let certificate = unsafe SSL_get_certificate(ssl),
        let hosts = unsafe notes.pointee.hosts, !hosts.responses.isEmpty,
        let digest = unsafe certificateDigest(certificate),
        let response = hosts.responses[digest],
        response.isCurrent,
        let copy = unsafe COpenSSL_OPENSSL_memdup(response.bytes, response.bytes.count)
    else { return SSL_TLSEXT_ERR_NOACK }
    // The connection owns the copy from now on.
    _ = unsafe COpenSSL_SSL_set_tlsext_status_ocsp_resp(ssl, copy, response.bytes.count)
    return SSL_TLSEXT_ERR_OK
}
