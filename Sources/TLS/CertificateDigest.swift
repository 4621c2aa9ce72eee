internal import COpenSSL

/// The SHA-256 digest of a certificate, by which certificates are told apart.
///
/// - Parameter certificate: An `X509`, lent for the call.
/// - Returns: The digest, or `nil` for want of memory.
func certificateDigest(_ certificate: OpaquePointer) -> [UInt8]? {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: CUnsignedInt = 0
    guard unsafe X509_digest(certificate, EVP_sha256(), &digest, &count) == 1 else { return nil }
    return [UInt8](digest.prefix(Int(count)))
}
