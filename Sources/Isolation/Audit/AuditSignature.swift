internal import TLS

/// The signature of a seal, as it stands in its line.
package struct AuditSignature: Hashable, Sendable {
    private static let byteCount = 64
    /// `,"key":"…","next_key":"…","signature":"…"`.
    private static let memberByteCount = 8 + 64 + 14 + 64 + 15 + 128 + 1

    /// The public key that is said to have made it, in hexadecimal digits.
    package let key: [UInt8]
    /// The public key of the seal after it.
    package let nextKey: [UInt8]
    private let signature: [UInt8]
    private let message: [UInt8]

    /// Reads the end of a record's members.
    init?(of body: [UInt8], _ previous: [UInt8]) {
        guard body.count > Self.memberByteCount else { return nil }
        var cursor = AuditLine.Cursor(body, from: body.count - Self.memberByteCount)
        guard cursor.take(",\"key\":\""), let key = cursor.takeHash(),
            cursor.take("\",\"next_key\":\""), let nextKey = cursor.takeHash(),
            cursor.take("\",\"signature\":\""),
            let digits = cursor.takeDigits(2 * Self.byteCount), cursor.take("\""), cursor.isAtEnd,
            let signature = AuditKey.bytes(
                of: String(decoding: digits, as: UTF8.self),
                count: Self.byteCount
            )
        else { return nil }
        self.key = key
        self.nextKey = nextKey
        self.signature = signature
        // `,"signature":"…"` goes; the quote in front of it belongs to the key.
        message = body.dropLast(14 + 2 * Self.byteCount + 1) + previous
    }

    /// Whether the owner of the key has made it.
    package var isGood: Bool {
        guard let key = AuditKey.bytes(of: String(decoding: key, as: UTF8.self)) else {
            return false
        }
        return Ed25519Key.isGood(signature, of: message, by: key)
    }
}
