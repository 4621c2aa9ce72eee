internal import Isolation
internal import TLS

extension ConfigurationOption {
    /// TLS on the control and data connections.
    static let tls: [ConfigurationOption] = [
        .toggle("ssl_enable", sets: \.tls.isEnabled),
        .secretFile("rsa_cert_file", sets: \.tls.certificateFile),
        .secretFile("rsa_private_key_file", sets: \.tls.privateKeyFile),
        .secretFile("ec_cert_file", sets: \.tls.ecCertificateFile),
        .secretFile("ec_private_key_file", sets: \.tls.ecPrivateKeyFile),
        .text("ssl_ocsp_file", sets: \.tls.responseFile),
        .text("ec_ocsp_file", sets: \.tls.ecResponseFile),
        .secretFile("ssl_key_passphrase_file", sets: \.tls.passphraseFile),
        .text("ssl_policy") { (draft, text) in
            guard let text else {
                draft.configuration.tls.policy = .intermediate
                return .honoured
            }
            guard let level = TLSPolicy.Level(rawValue: text.lowercased()) else {
                return .refused(
                    why: "there is no such policy",
                    mend: "write modern, intermediate or fips"
                )
            }
            draft.configuration.tls.policy = level
            return .honoured
        },
        .text("ssl_ciphers") { (draft, value) in
            draft.suiteList = value
            return .honoured
        },
        .toggle("force_local_logins_ssl", sets: \.tls.requiredForLogin),
        .networks("plain_ftp_networks", sets: \.tls.plainNetworks),
        .toggle("plain_system_logins", sets: \.tls.takesPlainSystemLogins),
        .toggle("force_local_data_ssl", sets: \.tls.requiredForData),
        .toggle("ssl_tlsv12", "ssl_tlsv1_2", sets: \.tls.allows12),
        .toggle("ssl_tlsv13", "ssl_tlsv1_3", sets: \.tls.allows13),
        .toggle("ssl_request_cert") { $0.requestsCertificate = $1 },
        .toggle("require_cert", sets: \.tls.requiresClientCertificate),
        .toggle("validate_cert", sets: \.tls.validatesClientCertificate),
        .text("ca_certs_file", sets: \.tls.authoritiesFile),
        .text("ca_crl_file", sets: \.tls.revocationsFile),
        .text("cert_auth") { (draft, text) in
            guard let login = CertificateLogin(rawValue: text?.lowercased() ?? "off") else {
                return .refused(
                    why: "a certificate is not used in this way",
                    mend: "write off, second (beside the password) or alone (in its place)"
                )
            }
            draft.configuration.tls.certificateLogin = login
            return .honoured
        },
        .text("cert_user_field") { (draft, text) in
            guard let text else {
                draft.configuration.tls.certificateField = nil
                return .honoured
            }
            guard let field = CertificateField(rawValue: text.lowercased()) else {
                return .refused(
                    why: "there is no such name in a certificate",
                    mend: "write cn, email, dns, uri or upn"
                )
            }
            draft.configuration.tls.certificateField = field
            return .honoured
        },
        .text("cert_users_file", sets: \.tls.certificateUsersFile),
        .text("ssl_sni_dir", sets: \.tls.hostDirectory),
        .hostNames("ssl_sni_hostname", sets: \.tls.expectedNames),
        .toggle("ssl_sni_required", sets: \.tls.requiresName),
        .toggle("require_ssl_reuse") { $0.requiresReuse = $1 },
        .networks("ssl_reuse_exempt_networks", sets: \.tls.reuseExemptNetworks),
        .toggle("strict_ssl_read_eof", sets: \.tls.strictReadEOF),
        .toggle("strict_ssl_write_shutdown", sets: \.tls.strictWriteShutdown),
        .toggle("implicit_ssl", sets: \.tls.isImplicit),
        .toggle("ssl_alpn_required", sets: \.tls.requiresALPN),
        .toggle("ktls_enable", sets: \.tls.encryptsInKernel),
        .toggle("debug_ssl", sets: \.tls.logsDetails),
        .seconds("ssl_handshake_timeout", 1...600, sets: \.tls.handshakeTimeout),
    ]

    /// What TLS was, and is not here.
    static let legacyTLS: [ConfigurationOption] = [
        .neverOffered("ssl_sslv2", protocol: "SSL 2"),
        .neverOffered("ssl_sslv3", protocol: "SSL 3"),
        .neverOffered("ssl_tlsv1", protocol: "TLS 1.0"),
        .neverOffered("ssl_tlsv11", "ssl_tlsv1_1", protocol: "TLS 1.1"),
        .ignoredText(
            "dh_param_file",
            "ssl_dh_file",
            "ecdh_param_file",
            why: "keys are agreed on elliptic curves that need no parameters"
        ),
        .refusedText(
            "dsa_cert_file",
            why: "TLS 1.3 has no DSA, and no client takes a DSA certificate any more",
            mend: "name a certificate with an ECDSA key in ec_cert_file"
        ),
        .refusedText(
            "dsa_private_key_file",
            why: "TLS 1.3 has no DSA, and no client takes a DSA certificate any more",
            mend: "name an ECDSA key in ec_private_key_file"
        ),
    ]

    private static func neverOffered(
        _ names: String...,
        protocol: String
    ) -> ConfigurationOption {
        let why = "TLS 1.2 is the floor, and \(`protocol`) is never offered"
        return ConfigurationOption(names, .toggle, parse: OptionValue.toggle) {
            $1 ? .ignored(why: why) : .honoured
        }
    }
}
