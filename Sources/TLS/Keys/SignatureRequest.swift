internal import LinuxSystem

/// What a Session asks of the process that keeps the keys.
struct SignatureRequest: Hashable {
    /// Which of the server's keys.
    let key: Int32
    /// The digest in OpenSSL's words; empty for Ed25519.
    let digest: String
    /// RSA-PSS in place of PKCS #1 v1.5.
    let isPSS: Bool
    /// What is to be signed, before it is hashed.
    let message: [UInt8]

    /// The longest message: TLS signs a little over 100 bytes.
    static let maximumMessageByteCount = 512
    private static let tag: UInt8 = 1

    init(key: Int32, digest: String, isPSS: Bool, message: [UInt8]) {
        self.key = key
        self.digest = digest
        self.isPSS = isPSS
        self.message = message
    }

    /// The message to the other process.
    var encoded: [UInt8] {
        var writer = MessageWriter(tag: Self.tag)
        writer.put(key)
        writer.put(digest)
        writer.put(isPSS)
        writer.put(message)
        return writer.bytes
    }

    /// Reads one whole message, which may come from anybody.
    init(decoding bytes: [UInt8]) throws(MessageError) {
        var reader = try MessageReader(bytes)
        guard reader.tag == Self.tag else { throw .unknownTag(reader.tag) }
        key = try reader.take()
        digest = try reader.takeString(maximum: 32)
        isPSS = try reader.takeBool()
        message = try reader.takeBytes(maximum: Self.maximumMessageByteCount)
        try reader.finish()
    }

    /// Whether the message is one that a TLS server signs in a handshake.
    ///
    /// Nothing else is ever signed: a Session that somebody else controls gets no certificate
    /// request, no document and no client's handshake out of the key.
    var isServerHandshake: Bool { isCertificateVerify || isServerKeyExchange }

    /// TLS 1.3 (RFC 8446 section 4.4.3): 64 spaces, the context, a zero, and a transcript hash.
    private var isCertificateVerify: Bool {
        let prefix =
            [UInt8](repeating: 0x20, count: 64) + Array("TLS 1.3, server CertificateVerify\0".utf8)
        return message.starts(with: prefix) && [32, 48].contains(message.count - prefix.count)
    }

    /// TLS 1.2 (RFC 8422 section 5.4): both randoms, then a named curve and a point on it.
    private var isServerKeyExchange: Bool {
        guard message.count > 68, message[64] == 3 else { return false }
        // Two bytes of curve, and a point of the length that this curve has.
        let pointByteCount: Int
        switch (message[65], message[66]) {
        case (0, 29): pointByteCount = 32
        case (0, 23): pointByteCount = 65
        case (0, 24): pointByteCount = 97
        default: return false
        }
        return Int(message[67]) == pointByteCount && message.count == 68 + pointByteCount
    }
}
