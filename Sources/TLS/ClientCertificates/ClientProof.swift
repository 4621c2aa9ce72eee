internal import COpenSSL
internal import LinuxSystem

/// A client that holds the key of its certificate, seen from another process than its Session.
package struct ClientProof: Hashable, Sendable {
    /// The subject of the certificate in the form of RFC 2253, for the log.
    package let subject: String

    /// Who has issued the certificate, in the same form.
    package let issuer: String

    /// The number of the certificate among its issuer's, hexadecimal.
    package let serial: String

    /// What the certificate says of its holder, each with what kind of name it is.
    ///
    /// `sha256:` and the digest of the whole certificate in lower-case hexadecimal digits come
    /// first. The others are there only where an authority vouches for them: `subject:`, `cn:`,
    /// `email:`, `dns:`, `uri:`, `upn:`.
    package let identities: [String]
}

/// Checks that a client holds the key of its certificate, from what its handshake left.
///
/// Needs no file and no connection, so that it can run in a process that has neither.
package final class ClientProofCheck {
    private let store: AuthorityStore?
    private let serverCertificates: [[UInt8]]

    /// Creates a check; `store` is `nil` where certificates are not validated.
    init(store: AuthorityStore?, serverCertificates: [[UInt8]]) {
        self.store = store
        self.serverCertificates = serverCertificates
    }

    /// Checks a recording.
    ///
    /// The client has signed a handshake that carries `challenge`, so the signature was made for
    /// this connection and for no other, and a server's certificate of ours, so that one who made
    /// it for another server made it for nothing. An authority vouches for the certificate, where
    /// there are any.
    ///
    /// - Parameters:
    ///   - recording: The messages of the handshake, from whomever.
    ///   - challenge: What was handed out for this connection.
    /// - Returns: Who the client is, or why it is nobody.
    package func check(
        _ recording: [UInt8],
        challenge: [UInt8]
    ) -> Result<ClientProof, ClientProofFailure> {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let transcript: HandshakeTranscript
        do throws(MessageError) {
            transcript = try HandshakeTranscript(recording, challenge: challenge)
        } catch {
            return .failure(ClientProofFailure("the handshake is not one of this connection"))
        }
        guard let own = transcript.serverChain.first, serverCertificates.contains(own) else {
            return .failure(ClientProofFailure("the handshake was made with another server"))
        }
        guard let chain = ClientChain.reading(transcript.clientChain) else {
            return .failure(ClientProofFailure("the certificate cannot be read"))
        }
        guard ClientSignature(transcript).isGood(by: chain) else {
            return .failure(ClientProofFailure("the signature is not the certificate's"))
        }
        if let store, let refusal = chain.refusal(by: store) {
            return .failure(ClientProofFailure(refusal.logText))
        }
        return .success(
            ClientProof(
                subject: chain.subject,
                issuer: chain.origin.issuer,
                serial: chain.origin.serial,
                identities: chain.identities(isVouchedFor: store != nil)
            )
        )
    }
}

/// Why a client has not proved that it holds the key of a certificate.
package struct ClientProofFailure: Error, Hashable, Sendable {
    /// The reason, for the log.
    package let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

/// A signature of a client over its handshake.
struct ClientSignature {
    private let transcript: HandshakeTranscript

    init(_ transcript: HandshakeTranscript) {
        self.transcript = transcript
    }

    /// The digest and the kind of key that a scheme stands for; SHA-1 stands for nothing.
    private var method: (digest: String?, key: String, isPSS: Bool)? {
        switch transcript.scheme {
        case 0x0403: ("SHA256", "EC", false)
        case 0x0503: ("SHA384", "EC", false)
        case 0x0603: ("SHA512", "EC", false)
        case 0x0804: ("SHA256", "RSA", true)
        case 0x0805: ("SHA384", "RSA", true)
        case 0x0806: ("SHA512", "RSA", true)
        case 0x0809: ("SHA256", "RSA-PSS", true)
        case 0x080A: ("SHA384", "RSA-PSS", true)
        case 0x080B: ("SHA512", "RSA-PSS", true)
        case 0x0807: (nil, "ED25519", false)
        case 0x0808: (nil, "ED448", false)
        // RFC 8446 section 4.2.3 leaves these to TLS 1.2.
        case 0x0401 where !transcript.is13: ("SHA256", "RSA", false)
        case 0x0501 where !transcript.is13: ("SHA384", "RSA", false)
        case 0x0601 where !transcript.is13: ("SHA512", "RSA", false)
        default: nil
        }
    }

    /// Whether the key of the chain's first certificate made it.
    func isGood(by chain: borrowing ClientChain) -> Bool {
        guard let method, let key = unsafe chain.key, unsafe EVP_PKEY_is_a(key, method.key) == 1,
            let context = unsafe EVP_MD_CTX_new()
        else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        var options: OpaquePointer?
        guard
            unsafe EVP_DigestVerifyInit_ex(context, &options, method.digest, nil, nil, key, nil)
                == 1
        else { return false }
        if method.isPSS {
            guard
                unsafe EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0,
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) > 0
            else { return false }
        }
        let (signature, signed) = (transcript.signature, transcript.signed)
        return unsafe EVP_DigestVerify(context, signature, signature.count, signed, signed.count)
            == 1
    }
}
