internal import Isolation
internal import TLS

extension ConfigurationDraft {
    /// Checks certificates and versions, and settles what follows from other options.
    mutating func checkTLS() {
        guard configuration.tls.isEnabled else {
            settleWithoutTLS()
            return
        }
        configuration.tls.requiresReuseIsWritten = requiresReuse != nil
        // Any address may then open a data connection, so only TLS can tell who does.
        configuration.tls.requiresReuse =
            requiresReuse ?? configuration.passive.takesForeignAddresses
        if !configuration.tls.requiresReuse {
            ignore(
                "ssl_reuse_exempt_networks",
                why: "nobody has to resume a session, as require_ssl_reuse=NO"
            )
        }
        if !configuration.tls.allows12, !configuration.tls.allows13 {
            refuse(
                "ssl_tlsv13",
                why: "ssl_tlsv12=NO too, so no version of TLS is left",
                mend: "write ssl_tlsv13=YES"
            )
        }
        if configuration.tls.policy == .modern {
            guard configuration.tls.allows13 else {
                refuse(
                    "ssl_policy",
                    why: "modern is TLS 1.3 alone, and ssl_tlsv13=NO",
                    mend: "write ssl_tlsv13=YES"
                )
                return
            }
            configuration.tls.allows12 = false
        }
        checkSuites()
        guard configuration.tls.certificateFile != nil else {
            refuse(
                "rsa_cert_file",
                why: "no certificate",
                mend: "set rsa_cert_file to a PEM file with the certificate chain"
            )
            ignore("rsa_private_key_file", why: "there is no certificate to go with it")
            return
        }
        checkCertificates()
        checkClientCertificates()
    }

    /// Settles which suites of the list are offered (`ssl_ciphers`).
    private mutating func checkSuites() {
        guard let list = suiteList else { return }
        let tls = configuration.tls
        let choice = SuiteChoice(
            list,
            TLSPolicy(level: tls.policy, allows12: tls.allows12, allows13: tls.allows13)
        )
        if !choice.isEmpty {
            configuration.tls.suites = choice
            if choice.suites12.isEmpty { configuration.tls.allows12 = false }
            if choice.suites13.isEmpty { configuration.tls.allows13 = false }
        } else if !tls.allows12, choice.wouldAllow12 {
            ignore("ssl_ciphers", why: "it names suites of TLS 1.2, which is not offered")
            return
        } else {
            refuse(
                "ssl_ciphers",
                why: "no suite of the list has AEAD and forward secrecy, or is in ssl_policy",
                mend: "write HIGH, or delete the line"
            )
            return
        }
        if tls.allows12, choice.suites12.isEmpty {
            remark(on: "ssl_ciphers", "it names suites of TLS 1.3 only, so TLS 1.2 is not offered")
        }
        if let kind = choice.keyType, !keyTypes.isEmpty, !keyTypes.contains(kind) {
            remark(
                on: "ssl_ciphers",
                "its suites of TLS 1.2 need an \(kind) key, which no certificate has"
            )
        }
        if !choice.refused.isEmpty {
            remark(on: "ssl_ciphers", "these are not offered: \(Self.some(choice.refused))")
        }
    }

    /// The kinds of key of the certificates.
    private var keyTypes: [String] {
        let files = [configuration.tls.certificateFile, configuration.tls.ecCertificateFile]
        return files.compactMap(\.self).compactMap { CertificateFacts(file: $0)?.keyType }
    }

    /// The first few of a list, and how many more there are.
    private static func some(_ names: [String]) -> String {
        let shown = names.prefix(5).joined(separator: ", ")
        return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }

    /// Makes the values say what holds, so that nobody has to look at `isEnabled` beside them.
    private mutating func settleWithoutTLS() {
        let dependents = [
            ("force_local_logins_ssl", configuration.tls.requiredForLogin),
            ("force_local_data_ssl", configuration.tls.requiredForData),
            ("require_ssl_reuse", requiresReuse == true),
            ("ssl_reuse_exempt_networks", !configuration.tls.reuseExemptNetworks.isEmpty),
            ("implicit_ssl", configuration.tls.isImplicit),
            ("implicit_listen_port", configuration.listening.implicitPort != nil),
            ("plain_listen_port", configuration.listening.plainPort != nil),
            ("ssl_alpn_required", configuration.tls.requiresALPN),
            ("ktls_enable", configuration.tls.encryptsInKernel),
            ("ssl_request_cert", requestsCertificate == true),
            ("require_cert", configuration.tls.requiresClientCertificate),
            ("validate_cert", configuration.tls.validatesClientCertificate),
            ("cert_auth", configuration.tls.certificateLogin != .off),
            ("cert_user_field", configuration.tls.certificateField != nil),
            ("cert_users_file", configuration.tls.certificateUsersFile != nil),
            ("ca_certs_file", configuration.tls.authoritiesFile != nil),
            ("ca_crl_file", configuration.tls.revocationsFile != nil),
            ("ssl_ciphers", suiteList != nil),
            ("ssl_sni_dir", configuration.tls.hostDirectory != nil),
            ("ssl_ocsp_file", configuration.tls.responseFile != nil),
            ("ssl_sni_hostname", !configuration.tls.expectedNames.isEmpty),
            ("ssl_sni_required", configuration.tls.requiresName),
            ("rsa_cert_file", configuration.tls.certificateFile != nil),
            ("rsa_private_key_file", configuration.tls.privateKeyFile != nil),
            ("ec_cert_file", configuration.tls.ecCertificateFile != nil),
            ("ec_private_key_file", configuration.tls.ecPrivateKeyFile != nil),
            ("ec_ocsp_file", configuration.tls.ecResponseFile != nil),
            ("ssl_key_passphrase_file", configuration.tls.passphraseFile != nil),
            ("ssl_policy", configuration.tls.policy != .intermediate),
        ]
        for (name, wantsTLS) in dependents where wantsTLS {
            ignore(name, why: "ssl_enable=NO turns TLS off")
        }
        configuration.tls.requiresReuseIsWritten = requiresReuse != nil
        configuration.tls.requiredForLogin = false
        configuration.tls.requiredForData = false
        configuration.tls.requiresReuse = false
        configuration.tls.isImplicit = false
        configuration.tls.requiresALPN = false
        configuration.tls.requiresClientCertificate = false
        configuration.tls.validatesClientCertificate = false
        configuration.tls.certificateLogin = .off
    }

    /// Opens a file of the certificate, or refuses to start without it.
    mutating func examine(
        _ path: String,
        of name: String,
        called title: String = "the file"
    ) -> HostFile? {
        do {
            return try HostFile.read(path, limit: 0)
        } catch {
            refuse(
                name,
                why: "\(title) cannot be read (\(error.reason))",
                mend: "name a PEM file that this account may read"
            )
            return nil
        }
    }
}
