/// Where a certificate and its key lie.
package struct CertificateFiles: Hashable, Sendable {
    /// A PEM chain, the server's certificate first.
    package var certificate: String
    /// Its key in PEM; may be the same file.
    package var privateKey: String

    /// A file whose first line is the key's passphrase; `nil` for a key without one.
    package var passphrase: String?

    /// An OCSP response about it in DER; `nil` for none.
    package var response: String?

    /// Names the files.
    package init(certificate: String, privateKey: String, passphrase: String? = nil) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.passphrase = passphrase
    }
}

extension CertificateFiles {
    /// Why the response is not handed out; `nil` when it is, or when there is none.
    package var responseProblem: StapledResponse.Problem? {
        guard let response else { return nil }
        do throws(StapledResponse.Problem) {
            _ = try StapledResponse(file: response, for: certificate)
            return nil
        } catch {
            return error
        }
    }
}

/// The certificates for one host that clients may name.
package struct HostFiles: Hashable, Sendable {
    /// The host, in lower case.
    package var name: String
    /// Its certificates, of different kinds of key.
    package var certificates: [CertificateFiles]

    /// Names the host and the files.
    package init(_ name: String, _ certificates: [CertificateFiles]) {
        self.name = name
        self.certificates = certificates
    }
}

/// Which process signs handshakes.
package enum KeyPlace: Hashable, Sendable {
    /// This one: it reads the key and keeps it.
    case here
    /// Another one, which ``RemoteSigner`` asks; this process never sees the key.
    case elsewhere
}
