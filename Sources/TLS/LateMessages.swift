internal import COpenSSL

extension HandshakeNotes {
    /// Handshake messages that a client may send after the handshake.
    ///
    /// Those are KeyUpdates (RFC 8446 section 4.6.3), one for every 100 GB or so, and under TLS 1.2
    /// wishes to renegotiate, which are refused. Both cost this side more than the client, and
    /// OpenSSL bounds neither.
    private static let maximumLateMessageCount = 256

    /// Whether more of them came than may.
    var hasTooManyLateMessages: Bool { lateMessageCount > Self.maximumLateMessageCount }
}

/// Counts what a client says about the connection itself once the handshake is over.
///
/// Too much of it ends the direction from the client: OpenSSL would otherwise go on within a single
/// `SSL_read(3)` for as long as such messages come. To OpenSSL that end looks like `close_notify`, so
/// whoever reads has to ask ``HandshakeNotes/hasTooManyLateMessages``.
func countLateMessage(
    _ isWritten: CInt,
    _: CInt,
    _ contentType: CInt,
    _: UnsafeRawPointer?,
    _: Int,
    _ ssl: OpaquePointer?,
    _: UnsafeMutableRawPointer?
) {
    guard isWritten == 0, contentType == SSL3_RT_HANDSHAKE, let ssl = unsafe ssl,
        let notes = unsafe HandshakeNotes.of(ssl)
    else { return }
    if unsafe !notes.pointee.hasTooManyLateMessages { unsafe notes.pointee.lateMessageCount += 1 }
    guard unsafe notes.pointee.hasTooManyLateMessages else { return }
    unsafe SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN)
}
