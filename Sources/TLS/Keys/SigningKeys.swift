internal import COpenSSL
internal import Glibc
package import LinuxSystem

/// The server's private keys, in the one process that has them.
@safe package final class SigningKeys {
    private let keys: [PrivateKey]

    /// Reads the keys, each of which has to belong to its certificate.
    ///
    /// - Throws: ``TLSError``; ``TLSError/Code/certificate``, ``TLSError/Code/privateKey`` and
    ///   ``TLSError/Code/keyMismatch`` are for the administrator to mend.
    package init(_ files: [CertificateFiles]) throws(TLSError) {
        var keys: [PrivateKey] = []
        for (number, file) in files.enumerated() {
            do throws(TLSError) {
                keys.append(try Self.read(file))
            } catch {
                throw error.about(number)
            }
        }
        self.keys = keys
    }

    private static func read(_ file: CertificateFiles) throws(TLSError) -> PrivateKey {
        let certificate = try Certificate(file.certificate)
        let key = try PrivateKey(file.privateKey, passphraseFile: file.passphrase)
        guard unsafe X509_check_private_key(certificate.pointer, key.pointer) == 1 else {
            throw .draining(.keyMismatch)
        }
        return key
    }

    /// Answers one request of a Session.
    ///
    /// - Returns: The signature; empty when the request is refused.
    /// - Throws: `MessageError` for a message that none of ours sends.
    package func answer(_ message: [UInt8]) throws(MessageError) -> [UInt8] {
        let request = try SignatureRequest(decoding: message)
        guard request.isServerHandshake, request.key >= 0, Int(request.key) < keys.count else {
            throw .invalidValue
        }
        return keys[Int(request.key)].sign(request)
    }
}

/// One private key.
@safe private final class PrivateKey {
    let pointer: OpaquePointer

    init(_ path: String, passphraseFile: String?) throws(TLSError) {
        ERR_clear_error()
        let passphrase = try Self.passphrase(in: passphraseFile)
        guard let file = unsafe BIO_new_file(path, "r") else { throw .draining(.privateKey) }
        defer { unsafe BIO_free_all(file) }
        // Without a callback OpenSSL would ask for a passphrase on the terminal.
        let read = unsafe passphrase.withCString { text in
            unsafe PEM_read_bio_PrivateKey(
                file,
                nil,
                { buffer, capacity, _, text in
                    guard let buffer = unsafe buffer, let text = unsafe text else { return -1 }
                    let source = unsafe text.assumingMemoryBound(to: CChar.self)
                    let count = unsafe strlen(source)
                    guard count > 0, count <= Int(capacity) else { return -1 }
                    unsafe buffer.update(from: source, count: count)
                    return CInt(count)
                },
                UnsafeMutableRawPointer(mutating: text)
            )
        }
        guard let pointer = unsafe read else { throw .draining(.privateKey) }
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }

    /// The first line of a file, which nobody else should be able to read.
    private static func passphrase(in path: String?) throws(TLSError) -> Secret {
        guard let path else { return Secret(copying: []) }
        do throws(SystemError) {
            var content = try readFile(at: path, maximumByteCount: 4_096)
            defer { unsafe content.withUnsafeMutableBytes { unsafe wipeMemory($0) } }
            return Secret(copying: content.prefix { $0 != 10 && $0 != 13 && $0 != 0 })
        } catch {
            throw TLSError(.passphrase)
        }
    }

    func sign(_ request: SignatureRequest) -> [UInt8] {
        ERR_clear_error()
        guard let context = unsafe EVP_MD_CTX_new() else { return [] }
        defer { unsafe EVP_MD_CTX_free(context) }
        var options: OpaquePointer?
        let digest = request.digest.isEmpty ? nil : request.digest
        guard
            unsafe EVP_DigestSignInit_ex(context, &options, digest, nil, nil, pointer, nil) == 1
        else { return [] }
        if request.isPSS {
            // RFC 8446 section 4.2.3: the salt is as long as the digest.
            guard
                unsafe EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0,
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) > 0
            else { return [] }
        }
        var count = max(0, Int(unsafe EVP_PKEY_get_size(pointer)))
        var signature = [UInt8](repeating: 0, count: count)
        let message = request.message
        guard
            unsafe EVP_DigestSign(context, &signature, &count, message, message.count) == 1
        else { return [] }
        return [UInt8](signature.prefix(count))
    }
}

/// A certificate that was read to be looked at.
@safe private final class Certificate {
    let pointer: OpaquePointer

    init(_ path: String) throws(TLSError) {
        ERR_clear_error()
        guard let file = unsafe BIO_new_file(path, "r") else { throw .draining(.certificate) }
        defer { unsafe BIO_free_all(file) }
        guard let pointer = unsafe PEM_read_bio_X509(file, nil, nil, nil) else {
            throw .draining(.certificate)
        }
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe X509_free(pointer)
    }
}
