internal import COpenSSL

/// The SHA-256 digest of `bytes` (FIPS 180-4), 32 bytes.
package func sha256(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    unsafe SHA256(bytes.baseAddress, bytes.count, &digest)
    return digest
}

/// Compares two byte strings of one length in a time that does not depend on their content.
package func isEqualInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return unsafe CRYPTO_memcmp(left, right, left.count) == 0
}
