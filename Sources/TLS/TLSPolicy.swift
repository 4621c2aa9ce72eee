/// What connections of one listener may negotiate.
///
/// TLS 1.2 is the floor. There is no way to ask for less.
package struct TLSPolicy: Hashable, Sendable {
    /// A set of suites and groups with a name (`ssl_policy`).
    package enum Level: String, CaseIterable, Hashable, Sendable {
        /// TLS 1.3 alone.
        case modern
        /// TLS 1.2 and 1.3, with AEAD and forward secrecy.
        case intermediate
        /// Only what FIPS 140-3 approves.
        case fips
    }

    /// The suites and groups.
    package var level = Level.intermediate

    /// The suites that the administrator chose among them; `nil` for all (`ssl_ciphers`).
    package var choice: SuiteChoice?

    /// Whether TLS 1.2 is offered.
    package var allows12: Bool

    /// Whether TLS 1.3 is offered.
    package var allows13: Bool

    /// What is asked of clients' certificates.
    package var clientCertificates: ClientCertificatePolicy

    /// Whether the kernel encrypts what data connections send, where it takes the keys.
    package var encryptsInKernel = false

    /// Creates a policy.
    package init(
        level: Level = .intermediate,
        allows12: Bool = true,
        allows13: Bool = true,
        clientCertificates: ClientCertificatePolicy = ClientCertificatePolicy()
    ) {
        self.level = level
        self.allows12 = allows12 && level != .modern
        self.allows13 = allows13
        self.clientCertificates = clientCertificates
    }

    /// The suites of TLS 1.2 that are offered, the preferred first.
    var suites12: [String] { choice?.suites12 ?? level.suites12 }

    /// The suites of TLS 1.3 that are offered, the preferred first.
    var suites13: [String] { choice?.suites13 ?? level.suites13 }

    /// The curves on which keys are agreed; SP 800-186 approves no X25519 for that.
    var groups: String { level == .fips ? "P-256:P-384" : "X25519:P-256:P-384" }
}

extension TLSPolicy.Level {
    /// The signatures in handshakes; `nil` for OpenSSL's own choice (SSL_CTX_set1_sigalgs_list(3)).
    var signatures: String? {
        guard self == .fips else { return nil }
        return ["ECDSA", "RSA-PSS", "RSA"].flatMap { key in
            ["SHA256", "SHA384", "SHA512"].map { "\(key)+\($0)" }
        }.joined(separator: ":")
    }

    /// Whether a certificate with such a key can be served.
    package func allowsKey(_ facts: CertificateFacts) -> Bool {
        guard self == .fips else { return true }
        return facts.securityBits >= CertificateFacts.minimumSecurityBits
            && (facts.keyType == "RSA" || ["P-256", "P-384", "P-521"].contains(facts.curve))
    }

    /// AEAD suites with forward secrecy.
    var suites12: [String] {
        let approved = [
            "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
            "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        ]
        let others = ["ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"]
        return switch self {
        case .modern: []
        case .intermediate: approved + others
        case .fips: approved
        }
    }

    /// TLS 1.3 has no other kind of suite.
    var suites13: [String] {
        let approved = ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"]
        return self == .fips ? approved : approved + ["TLS_CHACHA20_POLY1305_SHA256"]
    }
}
