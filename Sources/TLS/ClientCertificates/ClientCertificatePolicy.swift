/// What is asked of clients' certificates.
package struct ClientCertificatePolicy: Hashable, Sendable {
    /// The longest way from a client's certificate to an authority, in certificates between them.
    static let maximumDepth: CInt = 4

    /// How strong the keys of a chain must be (SSL_CTX_set_security_level(3)): 112 bits.
    static let securityLevel: CInt = 2

    /// The longest chain that a client may send, in bytes.
    static let maximumChainByteCount = 24_576

    /// The longest list of authorities that clients are told, in bytes; none are told beyond it.
    static let maximumNamesByteCount = 16_384

    /// Whether clients are asked for a certificate (`ssl_request_cert`).
    package var isRequested: Bool

    /// Whether a client without one is refused (`require_cert`).
    package var isRequired: Bool

    /// Whether an authority must vouch for every certificate that is shown (`validate_cert`).
    package var isValidated: Bool

    /// The authorities, in PEM (`ca_certs_file`).
    package var authoritiesFile: String?

    /// What they have revoked, in PEM (`ca_crl_file`).
    ///
    /// Where there is such a file, each authority of a chain must have a list in it that is not
    /// past its time: one that is missing refuses the client.
    package var revocationsFile: String?

    /// Whether clients prove their certificates to another process, too (`cert_auth`).
    package var isProved = false

    /// Creates a policy that asks for nothing.
    package init(
        isRequested: Bool = false,
        isRequired: Bool = false,
        isValidated: Bool = false,
        authoritiesFile: String? = nil,
        revocationsFile: String? = nil
    ) {
        self.isRequested = isRequested
        self.isRequired = isRequired
        self.isValidated = isValidated
        self.authoritiesFile = authoritiesFile
        self.revocationsFile = revocationsFile
    }
}
