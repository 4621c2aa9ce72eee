internal import LinuxSystem

/// What a check of a client's certificate found.
///
/// Made in a process of its own, which alone reads what the client sent, and told to the Warden as
/// a message.
package enum CertificateFinding: Hashable, Sendable {
    /// The client holds the key, and the certificate has these names.
    case proved(subject: String, identities: [String], issuer: String = "", serial: String = "")
    /// It proves nothing.
    case refused(reason: String)

    private static let maximumTextByteCount = 2_048
    private static let maximumIdentityCount = 128

    /// The message.
    var encoded: [UInt8] {
        switch self {
        case .proved(let subject, let identities, let issuer, let serial):
            var writer = MessageWriter(tag: 1)
            writer.put(subject)
            writer.put(UInt16(clamping: identities.count))
            for identity in identities { writer.put(identity) }
            writer.put(issuer)
            writer.put(serial)
            return writer.bytes
        case .refused(let reason):
            var writer = MessageWriter(tag: 2)
            writer.put(reason)
            return writer.bytes
        }
    }

    /// Reads one whole message.
    init(decoding message: [UInt8]) throws(MessageError) {
        var reader = try MessageReader(message)
        switch reader.tag {
        case 1:
            let subject = try reader.takeString(maximum: Self.maximumTextByteCount)
            let count = Int(try reader.take(UInt16.self))
            guard count <= Self.maximumIdentityCount else { throw .tooLong(byteCount: count) }
            var identities: [String] = []
            for _ in 0..<count {
                identities.append(try reader.takeString(maximum: Self.maximumTextByteCount))
            }
            self = .proved(
                subject: subject,
                identities: identities,
                issuer: try reader.takeString(maximum: Self.maximumTextByteCount),
                serial: try reader.takeString(maximum: Self.maximumTextByteCount)
            )
        case 2: self = .refused(reason: try reader.takeString(maximum: Self.maximumTextByteCount))
        case let tag: throw .unknownTag(tag)
        }
        try reader.finish()
    }
}

/// Checks what a client's handshake left, held against the challenge of its connection.
package typealias CertificateCheck = (
    _ recording: [UInt8], _ challenge: [UInt8]
) -> CertificateFinding
