internal import TLS

extension ConfigurationDraft {
    /// Where a pair of files comes from, for what there is to say about it.
    private struct Origin {
        let option: String
        let keyOption: String
        let responseOption: String
        /// The host that it is for, if it is for one alone.
        var host: String?

        /// What a file is called: an option that names one file says enough.
        func title(_ path: String) -> String {
            guard let host else { return "the file" }
            return "\(host)/\(path.split(separator: "/").last ?? "")"
        }

        /// A sentence about one host among many names it.
        func of(_ sentence: String) -> String { host.map { "\($0): \(sentence)" } ?? sentence }
    }

    /// Looks at every certificate and key before a client does.
    mutating func checkCertificates() {
        let tls = configuration.tls
        for (number, files) in tls.certificates.enumerated() {
            let kind = number == 0 ? "rsa" : "ec"
            let hasKeyFile = (number == 0 ? tls.privateKeyFile : tls.ecPrivateKeyFile) != nil
            let name = "\(kind)_cert_file"
            let keyOption = hasKeyFile ? "\(kind)_private_key_file" : name
            checkPair(
                files,
                Origin(
                    option: name,
                    keyOption: keyOption,
                    responseOption: number == 0 ? "ssl_ocsp_file" : "ec_ocsp_file"
                )
            )
        }
        let kinds = tls.certificates.compactMap { CertificateFacts(file: $0.certificate)?.keyType }
        if kinds.count == 2, kinds[0] == kinds[1] {
            refuse(
                "ec_cert_file",
                why:
                    "its key is of the same kind as that of rsa_cert_file, which would not be used",
                mend: "name certificates with an RSA key and with an EC key, or one alone"
            )
        }
        if tls.ecCertificateFile == nil {
            ignore("ec_private_key_file", why: "it needs ec_cert_file")
            ignore("ec_ocsp_file", why: "it needs ec_cert_file")
        }
        if let file = tls.passphraseFile {
            let option = "ssl_key_passphrase_file"
            checkKey(file, Origin(option: option, keyOption: option, responseOption: option))
        }
        checkHosts()
    }

    /// Looks at the certificates for single hosts (`ssl_sni_dir`).
    private mutating func checkHosts() {
        guard let path = configuration.tls.hostDirectory else { return }
        let directory: HostDirectory
        do throws(HostFileError) {
            directory = try HostDirectory(path, passphrase: configuration.tls.passphraseFile)
        } catch {
            refuse(
                "ssl_sni_dir",
                why: "the directory cannot be read (\(error.reason))",
                mend: "name a directory with a folder for each host"
            )
            return
        }
        for text in directory.remarks { remark(on: "ssl_sni_dir", text) }
        if directory.hosts.isEmpty { remark(on: "ssl_sni_dir", "it holds no certificate") }
        for host in directory.hosts {
            for files in host.certificates {
                checkPair(
                    files,
                    Origin(
                        option: "ssl_sni_dir",
                        keyOption: "ssl_sni_dir",
                        responseOption: "ssl_sni_dir",
                        host: host.name
                    )
                )
            }
        }
    }

    private mutating func checkPair(_ files: CertificateFiles, _ origin: Origin) {
        if files.certificate != files.privateKey {
            let title = origin.title(files.certificate)
            _ = examine(files.certificate, of: origin.option, called: title)
        }
        checkKey(files.privateKey, origin)
        guard let facts = CertificateFacts(file: files.certificate, host: origin.host)
        else { return }
        let name = origin.option
        if !configuration.tls.policy.allowsKey(facts) {
            refuse(
                name,
                why: origin.of("ssl_policy=fips has no signatures by its key (\(facts.keyName))"),
                mend: "name a certificate with an RSA key of 2048 bits or more, or P-256 or P-384"
            )
            return
        }
        if facts.secondsLeft < 0 {
            remark(on: name, origin.of("the certificate has expired"))
        } else if facts.daysLeft < 30 {
            remark(on: name, origin.of("the certificate expires in \(facts.daysLeft) days"))
        }
        if facts.securityBits < CertificateFacts.minimumSecurityBits {
            remark(
                on: name,
                origin.of(
                    "its \(facts.keyType) key is weak: \(facts.securityBits) bits of security"
                )
            )
        }
        if !facts.isCommon {
            remark(
                on: name,
                origin.of("few clients take a certificate with its key (\(facts.keyName))")
            )
        }
        switch facts.chainProblem {
        case .disorder:
            remark(
                on: name,
                origin.of("each certificate of the file must be vouched for by the next")
            )
        case .lacksIssuer:
            remark(
                on: name,
                origin.of("the file lacks the certificate of its issuer, so clients may refuse it")
            )
        case nil: break
        }
        if let problem = files.responseProblem {
            remark(
                on: origin.responseOption,
                origin.of("the OCSP response is not served: \(problem.text)")
            )
        }
        if !facts.isForHost { remark(on: name, origin.of("the certificate is for other names")) }
    }

    private mutating func checkKey(_ path: String, _ origin: Origin) {
        let title = origin.title(path)
        guard let file = examine(path, of: origin.keyOption, called: title) else { return }
        if file.mode & 0o022 != 0 {
            refuse(
                origin.keyOption,
                why: origin.of("others than the owner may write the private key"),
                mend: "run chmod go-w on the file"
            )
            return
        }
        let readers =
            file.mode & 0o004 != 0
            ? "everybody on this machine" : file.isReadableByItsGroup ? "the file's group" : nil
        if let readers {
            remark(on: origin.keyOption, origin.of("\(readers) may read the private key"))
        }
    }
}
