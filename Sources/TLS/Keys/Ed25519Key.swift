internal import COpenSSL
internal import LinuxSystem

/// A key that signs (Ed25519, RFC 8032 section 5.1).
///
/// Owns one reference to an `EVP_PKEY`.
@safe package struct Ed25519Key: ~Copyable {
    /// Bytes of a private key, and of a public one.
    package static let byteCount = 32

    private let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }

    /// Makes a key of its private bytes (EVP_PKEY_new_raw_private_key_ex(3)).
    ///
    /// - Throws: ``TLSError``, also when the administrator has forbidden the algorithm.
    package static func reading(_ seed: [UInt8]) throws(TLSError) -> Ed25519Key {
        ERR_clear_error()
        guard
            let pointer = unsafe EVP_PKEY_new_raw_private_key_ex(
                nil,
                "ED25519",
                nil,
                seed,
                seed.count
            )
        else { throw .draining(.configuration) }
        return unsafe Ed25519Key(owning: pointer)
    }

    /// The public key, ``byteCount`` bytes.
    package var publicKey: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        var count = bytes.count
        guard unsafe EVP_PKEY_get_raw_public_key(pointer, &bytes, &count) == 1 else { return [] }
        return bytes
    }

    /// Signs a message (EVP_DigestSign(3)); the signature has 64 bytes.
    package func sign(_ message: [UInt8]) throws(TLSError) -> [UInt8] {
        ERR_clear_error()
        guard let context = unsafe EVP_MD_CTX_new() else { throw .draining(.allocation) }
        defer { unsafe EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 64)
        var count = signature.count
        guard unsafe EVP_DigestSignInit(context, nil, nil, nil, pointer) == 1,
            unsafe EVP_DigestSign(context, &signature, &count, message, message.count) == 1,
            count == signature.count
        else { throw .draining(.configuration) }
        return signature
    }

    /// Whether a signature was made of a message by the owner of a public key.
    package static func isGood(
        _ signature: [UInt8],
        of message: [UInt8],
        by publicKey: [UInt8]
    ) -> Bool {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard
            let key = unsafe EVP_PKEY_new_raw_public_key_ex(
                nil,
                "ED25519",
                nil,
                publicKey,
                publicKey.count
            )
        else { return false }
        defer { unsafe EVP_PKEY_free(key) }
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
        return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count)
            == 1
    }
}
