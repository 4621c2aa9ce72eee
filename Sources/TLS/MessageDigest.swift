internal import COpenSSL

/// A hash that is computed piece by piece (EVP_DigestInit(3)).
///
/// Owns one `EVP_MD_CTX`.
@safe package struct MessageDigest: ~Copyable {
    /// The functions there are.
    package enum Function: Sendable {
        /// SHA-256 (FIPS 180-4).
        case sha256
        /// SHA-384 (FIPS 180-4).
        case sha384
        /// SHA-512 (FIPS 180-4).
        case sha512
        /// SHA-1 (FIPS 180-4).
        case sha1
        /// MD5 (RFC 1321).
        case md5
    }

    private let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe EVP_MD_CTX_free(pointer)
    }

    /// Begins with nothing.
    ///
    /// - Throws: ``TLSError`` with ``TLSError/Code/allocation``, also when the administrator has
    ///   forbidden the function (FIPS mode).
    package static func begin(_ function: Function) throws(TLSError) -> MessageDigest {
        ERR_clear_error()
        guard let pointer = unsafe EVP_MD_CTX_new() else { throw .draining(.allocation) }
        let digest = unsafe MessageDigest(owning: pointer)
        let method =
            switch function {
            case .sha256: unsafe EVP_sha256()
            case .sha384: unsafe EVP_sha384()
            case .sha512: unsafe EVP_sha512()
            case .sha1: unsafe EVP_sha1()
            case .md5: unsafe EVP_md5()
            }
        guard unsafe EVP_DigestInit_ex(digest.pointer, method, nil) == 1 else {
            throw .draining(.allocation)
        }
        return digest
    }

    /// Takes the next bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        // Fails on a context that was not begun only, and there is none.
        _ = unsafe EVP_DigestUpdate(pointer, bytes.baseAddress, bytes.count)
    }

    /// Tells the hash of all bytes.
    package consuming func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: CUnsignedInt = 0
        guard unsafe EVP_DigestFinal_ex(pointer, &digest, &count) == 1 else { return [] }
        return [UInt8](digest.prefix(Int(count)))
    }
}
