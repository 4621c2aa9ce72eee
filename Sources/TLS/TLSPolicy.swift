/// What connections of one listener may negotiate.
///
/// TLS 1.2 is the floor. There is no way to ask for less.
package struct TLSPolicy: Hashable, Sendable {
    /// Whether TLS 1.2 is offered.
    package var allows12: Bool

    /// Whether TLS 1.3 is offered.
    package var allows13: Bool

    /// Whether the client is asked for a certificate.
    package var requestsClientCertificate: Bool

    /// Creates a policy.
    package init(
        allows12: Bool = true,
        allows13: Bool = true,
        requestsClientCertificate: Bool = false
    ) {
        self.allows12 = allows12
        self.allows13 = allows13
        self.requestsClientCertificate = requestsClientCertificate
    }

    /// AEAD suites with forward secrecy; TLS 1.3 has no others.
    static let suites12 = """
        ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
        ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
        ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
        """

    static let suites13 = """
        TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256
        """

    static let groups = "X25519:P-256:P-384"
}
