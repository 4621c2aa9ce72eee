internal import COpenSSL

// What another process needs to see for itself that a client holds the key of its certificate.
//
// That process hands over a challenge, which the request for a certificate carries to the client;
// the client signs the whole handshake, challenge included (RFC 8446 section 4.4.3, RFC 5246
// section 7.4.8). Whoever has the handshake messages can check the signature, and cannot make one.

/// The handshake messages of a control connection up to the client's proof.
struct HandshakeRecording {
    /// The longest recording; a longer handshake proves nothing.
    ///
    /// It has to fit into one message to another process.
    static let maximumByteCount = 60_000

    /// The extension that carries the challenge under TLS 1.3.
    ///
    /// One of the values that RFC 8701 sets aside so that clients learn to ignore what they do not
    /// know.
    static let challengeExtension: UInt16 = 0xFAFA

    /// Bytes in a challenge.
    static let challengeByteCount = 32

    /// What the client has to sign beside its handshake.
    let challenge: [UInt8]

    /// The messages, one after the other, each with its header of four bytes.
    private(set) var messages: [UInt8] = []

    /// Whether the client's proof is in.
    private(set) var isComplete = false
    private var isTooLong = false

    init(challenge: [UInt8]) {
        self.challenge = challenge
    }

    /// Takes a message down until the client's CertificateVerify.
    mutating func take(_ message: UnsafeRawBufferPointer, isFromClient: Bool) {
        guard !isComplete, !isTooLong, let kind = unsafe message.first else { return }
        guard message.count <= Self.maximumByteCount - messages.count else {
            isTooLong = true
            messages = []
            return
        }
        unsafe messages.append(contentsOf: message)
        isComplete = isFromClient && kind == UInt8(SSL3_MT_CERTIFICATE_VERIFY)
    }

    /// The name that carries `challenge` under TLS 1.2, as one of the authorities that are told.
    ///
    /// A common name of 64 hexadecimal digits, in DER (RFC 5280 section 4.1.2.4).
    static func name(carrying challenge: [UInt8]) -> [UInt8] {
        let digits = hexadecimal(challenge)
        let header: [UInt8] = [
            0x30, 0x4B, 0x31, 0x49, 0x30, 0x47, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0C, 0x40,
        ]
        return header + Array(digits.utf8)
    }
}

/// Lower-case hexadecimal digits.
func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
        decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
        as: UTF8.self
    )
}

/// Takes down every handshake message (SSL_set_msg_callback(3)).
func recordMessage(
    _ isSent: CInt,
    _: CInt,
    _ kind: CInt,
    _ start: UnsafeRawPointer?,
    _ count: Int,
    _ ssl: OpaquePointer?,
    _: UnsafeMutableRawPointer?
) {
    guard kind == SSL3_RT_HANDSHAKE, let ssl = unsafe ssl,
        let notes = unsafe HandshakeNotes.of(ssl)
    else { return }
    let message = unsafe UnsafeRawBufferPointer(start: start, count: count)
    unsafe notes.pointee.recording?.take(message, isFromClient: isSent == 0)
}

/// Puts the challenge into the request for a certificate under TLS 1.3
/// (SSL_CTX_add_custom_ext(3)).
func addChallenge(
    _ ssl: OpaquePointer?,
    _: CUnsignedInt,
    _: CUnsignedInt,
    _ output: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ count: UnsafeMutablePointer<Int>?,
    _: OpaquePointer?,
    _: Int,
    _: UnsafeMutablePointer<CInt>?,
    _: UnsafeMutableRawPointer?
) -> CInt {
    guard let ssl = unsafe ssl, let output = unsafe output, let count = unsafe count,
        let challenge = unsafe HandshakeNotes.of(ssl)?.pointee.recording?.challenge
    else { return 0 }
    let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: challenge.count)
    _ = unsafe copy.initialize(from: challenge)
    unsafe output.pointee = UnsafePointer(copy.baseAddress)
    unsafe count.pointee = challenge.count
    return 1
}

/// Frees what ``addChallenge`` allocated.
func freeChallenge(
    _: OpaquePointer?,
    _: CUnsignedInt,
    _: CUnsignedInt,
    _ output: UnsafePointer<UInt8>?,
    _: UnsafeMutableRawPointer?
) {
    unsafe output?.deallocate()
}

/// Puts the challenge among the authorities that are told, under TLS 1.2 (SSL_CTX_set_cert_cb(3)).
///
/// Called once the version is settled: clients of TLS 1.3 are told the real ones alone.
func nameChallenge(_ ssl: OpaquePointer?, _: UnsafeMutableRawPointer?) -> CInt {
    guard let ssl = unsafe ssl, unsafe SSL_version(ssl) == TLS1_2_VERSION,
        let challenge = unsafe HandshakeNotes.of(ssl)?.pointee.recording?.challenge
    else { return 1 }
    let encoded = HandshakeRecording.name(carrying: challenge)
    var made: OpaquePointer?
    unsafe encoded.withUnsafeBufferPointer { bytes in
        var position = bytes.baseAddress
        unsafe made = d2i_X509_NAME(nil, &position, bytes.count)
    }
    guard let name = unsafe made else { return 0 }
    guard let names = unsafe COpenSSL_client_CA_list_with(ssl, name) else {
        unsafe X509_NAME_free(name)
        return 0
    }
    unsafe SSL_set_client_CA_list(ssl, names)
    return 1
}
