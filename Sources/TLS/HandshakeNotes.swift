internal import COpenSSL

/// What OpenSSL's callbacks need to know of a connection, and what they write down.
struct HandshakeNotes {
    /// What the connection is for.
    let role: TLSRole

    /// The hosts that the client may name.
    let hosts: ServerHosts?

    /// What the client named.
    var offered: OfferedName?

    /// Whether the handshake failed because of it.
    var isNameRefused = false

    /// Whether it decided about the certificate.
    var isNameKnown = false

    /// Why the client's certificate was refused.
    var refusal: CertificateRefusal?

    /// Handshake messages that came after the handshake, up to one more than may come.
    var lateMessageCount = 0

    /// The messages so far, where a client's certificate is to be proved to another process.
    var recording: HandshakeRecording?

    /// The notes of a connection, which ``TLSConnection`` keeps as long as it.
    static func of(_ ssl: OpaquePointer) -> UnsafeMutablePointer<HandshakeNotes>? {
        unsafe COpenSSL_SSL_get_app_data(ssl)?.assumingMemoryBound(to: HandshakeNotes.self)
    }
}
