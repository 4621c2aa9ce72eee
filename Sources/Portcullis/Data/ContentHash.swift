internal import CZlib
internal import FTPProtocol
internal import TLS

/// The hash of a file's content, computed piece by piece.
final class ContentHash {
    private var digest: MessageDigest?
    private var checksum: UInt

    /// Begins with nothing.
    ///
    /// - Throws: ``TLSError`` when OpenSSL does not offer the algorithm.
    init(_ algorithm: HashAlgorithm) throws(TLSError) {
        checksum = 0
        digest =
            switch algorithm {
            case .sha256: try MessageDigest.begin(.sha256)
            case .sha512: try MessageDigest.begin(.sha512)
            case .sha1: try MessageDigest.begin(.sha1)
            case .md5: try MessageDigest.begin(.md5)
            case .crc32: nil
            }
    }

    /// Takes the next bytes.
    func update(_ bytes: UnsafeRawBufferPointer) {
        guard digest == nil else {
            unsafe digest?.update(bytes)
            return
        }
        let start = unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        // RFC 1952 section 8; zlib keeps 32 bits in what C calls a long.
        checksum = unsafe crc32_z(checksum, start, bytes.count)
    }

    /// Tells the hash of all bytes.
    func finish() -> [UInt8] {
        if let digest = digest.take() { return digest.finish() }
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: checksum >> UInt($0)) }
    }

    /// Tells the hash of all bytes in hexadecimal.
    func finish(uppercase: Bool) -> String {
        finish().map {
            let text = String($0, radix: 16, uppercase: uppercase)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}
