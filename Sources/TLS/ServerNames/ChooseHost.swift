internal import COpenSSL

/// Chooses the certificate by the host that the client names, or refuses the handshake.
///
/// OpenSSL calls it with each ClientHello, before it looks for a session to resume: what it knows
/// of the name later on is that of the resumed session under TLS 1.2.
func chooseHost(
    _ ssl: OpaquePointer?,
    _ alert: UnsafeMutablePointer<CInt>?,
    _: UnsafeMutableRawPointer?
) -> CInt {
    guard let ssl = unsafe ssl, let notes = unsafe HandshakeNotes.of(ssl),
        let hosts = unsafe notes.pointee.hosts
    else { return SSL_CLIENT_HELLO_SUCCESS }
    let offered = unsafe offeredName(in: ssl)
    let role = unsafe notes.pointee.role
    let verdict = hosts.policy.judge(offered, on: role, of: hosts.session) { name in
        unsafe hosts.certificates[name] != nil || isCertificate(of: ssl, for: name)
    }
    // The second ClientHello after a HelloRetryRequest must not say anything else.
    let isRepeated = unsafe notes.pointee.offered.map { $0 == offered } ?? true
    unsafe notes.pointee.offered = offered
    guard case .host(let host) = verdict, isRepeated else {
        unsafe notes.pointee.isNameRefused = true
        unsafe alert?.pointee = SSL_AD_UNRECOGNIZED_NAME
        return SSL_CLIENT_HELLO_ERROR
    }
    guard let chosen = host.flatMap({ hosts.certificates[$0] }) else {
        return SSL_CLIENT_HELLO_SUCCESS
    }
    unsafe notes.pointee.isNameKnown = true
    unsafe SSL_certs_clear(ssl)
    for context in chosen {
        guard unsafe context.lendCertificate(to: ssl) else {
            unsafe alert?.pointee = SSL_AD_INTERNAL_ERROR
            return SSL_CLIENT_HELLO_ERROR
        }
    }
    return SSL_CLIENT_HELLO_SUCCESS
}

/// Tells the client that its name decided about the certificate (RFC 6066 section 3).
func acknowledgeName(
    _ ssl: OpaquePointer?,
    _: UnsafeMutablePointer<CInt>?,
    _: UnsafeMutableRawPointer?
) -> CInt {
    guard let ssl = unsafe ssl, let notes = unsafe HandshakeNotes.of(ssl),
        unsafe notes.pointee.isNameKnown
    else { return SSL_TLSEXT_ERR_NOACK }
    return SSL_TLSEXT_ERR_OK
}

/// Reads the name out of the ClientHello that OpenSSL is looking at.
private func offeredName(in ssl: OpaquePointer) -> OfferedName {
    var content: UnsafePointer<UInt8>?
    var count = 0
    let type = CUnsignedInt(TLSEXT_TYPE_server_name)
    guard unsafe SSL_client_hello_get0_ext(ssl, type, &content, &count) == 1 else { return .none }
    let bytes = unsafe UnsafeBufferPointer(start: content, count: count)
    return unsafe OfferedName([UInt8](bytes))
}

/// Whether the certificate for all hosts names this one.
private func isCertificate(of ssl: OpaquePointer, for name: String) -> Bool {
    guard let certificate = unsafe SSL_get_certificate(ssl) else { return false }
    return unsafe X509_check_host(certificate, name, name.utf8.count, 0, nil) == 1
}
