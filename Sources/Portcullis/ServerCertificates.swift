internal import LinuxSystem
internal import TLS

/// The files of the certificates, in the order that Session and Signer number them by.
struct ServerCertificates {
    /// Those for every host.
    let own: [CertificateFiles]

    /// Those for single hosts.
    let hosts: [HostFiles]

    /// All of them.
    var all: [CertificateFiles] { own + hosts.flatMap(\.certificates) }

    /// Looks for the files that a configuration names.
    init(_ report: ConfigurationReport) throws(ServerError) {
        let tls = report.configuration.tls
        own = tls.certificates
        guard tls.isEnabled else {
            hosts = []
            return
        }
        do throws(HostFileError) {
            hosts = try HostDirectory(tls.hostDirectory, passphrase: tls.passphraseFile).hosts
        } catch {
            throw .option(
                "ssl_sni_dir",
                tls.hostDirectory ?? "",
                report,
                error.reason,
                mend: "name a directory with a folder for each host"
            )
        }
    }

    /// What the certificates' files hold now, to tell whether they have changed.
    var fingerprint: [[UInt8]] {
        all.map { (try? readFile(at: $0.certificate, maximumByteCount: 1 << 20)) ?? [] }
    }

    /// What to say of OCSP responses that are not handed out.
    var responseProblems: [String] {
        all.compactMap { files in
            files.responseProblem.map {
                "OCSP response \((files.response ?? "").shownInOneLine) is not served: \($0.text)"
            }
        }
    }

    /// Says which option has to be mended.
    ///
    /// - Parameters:
    ///   - code: What failed.
    ///   - number: Which certificate it is about, if any.
    ///   - text: OpenSSL's words.
    ///   - report: Where the options were written.
    /// - Returns: One line that names the option, its value and the mend.
    func problem(
        _ code: TLSError.Code?,
        _ number: Int?,
        _ text: String,
        _ report: ConfigurationReport
    ) -> ServerError {
        let tls = report.configuration.tls
        let files = number.flatMap { all.indices.contains($0) ? all[$0] : nil }
        let options = Options(number, ownCount: own.count, tls)
        switch code {
        case .certificate:
            return .option(
                options.certificate,
                files?.certificate ?? "",
                report,
                text,
                mend: "name a PEM file that begins with the server's certificate"
            )
        case .privateKey:
            return .option(
                options.key,
                files?.privateKey ?? "",
                report,
                text,
                mend: "name a PEM file that holds the key, and its passphrase in"
                    + " ssl_key_passphrase_file if it has one"
            )
        case .passphrase:
            return .option(
                "ssl_key_passphrase_file",
                tls.passphraseFile ?? "",
                report,
                "the file cannot be read",
                mend: "name a file whose first line is the passphrase"
            )
        case .authorities:
            return .option(
                "ca_certs_file",
                tls.authoritiesFile ?? "",
                report,
                text,
                mend: "name a PEM file with the certificates of authorities"
            )
        case .revocations:
            return .option(
                "ca_crl_file",
                tls.revocationsFile ?? "",
                report,
                text,
                mend: "name a PEM file with the lists of revoked certificates"
            )
        case .keyMismatch:
            return .option(
                options.key,
                files?.privateKey ?? "",
                report,
                "the key does not belong to the certificate",
                mend: "name the key that the certificate was made with"
            )
        default:
            return ServerError("TLS: \(text)")
        }
    }

    /// The options that name a pair of files.
    private struct Options {
        let certificate: String
        let key: String

        init(_ number: Int?, ownCount: Int, _ tls: Configuration.TLS) {
            switch number {
            case let number? where number >= ownCount:
                certificate = "ssl_sni_dir"
                key = "ssl_sni_dir"
            case 1:
                certificate = "ec_cert_file"
                key = tls.ecPrivateKeyFile == nil ? certificate : "ec_private_key_file"
            default:
                certificate = "rsa_cert_file"
                key = tls.privateKeyFile == nil ? certificate : "rsa_private_key_file"
            }
        }
    }
}

extension Configuration.TLS {
    /// The certificates for every host, of different kinds of key.
    var certificates: [CertificateFiles] {
        guard isEnabled else { return [] }
        let certificate = certificateFile ?? ""
        var first = CertificateFiles(
            certificate: certificate,
            privateKey: privateKeyFile ?? certificate,
            passphrase: passphraseFile
        )
        first.response = responseFile
        guard let file = ecCertificateFile else { return [first] }
        var second = CertificateFiles(
            certificate: file,
            privateKey: ecPrivateKeyFile ?? file,
            passphrase: passphraseFile
        )
        second.response = ecResponseFile
        return [first, second]
    }
}
