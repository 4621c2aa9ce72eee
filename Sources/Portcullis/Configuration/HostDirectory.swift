package import TLS

/// A directory with a folder of certificates for each host (`ssl_sni_dir`).
///
/// The layout is that of `/etc/letsencrypt/live`: the folder has the host's name, and holds
/// `fullchain.pem` and `privkey.pem`; a second pair with a key of another kind is
/// `fullchain-ec.pem` and `privkey-ec.pem`. OCSP responses are `ocsp.der` and `ocsp-ec.der`. A host whose certificate lies under another host's name
/// is a symbolic link to that folder.
package struct HostDirectory {
    /// More folders than this are a mistake; each takes memory in every session.
    static let maximumCount = 1_000

    /// The hosts, by their names.
    package let hosts: [HostFiles]

    /// What was left out, and why.
    let remarks: [String]

    /// Looks at the folders.
    ///
    /// - Parameters:
    ///   - path: The directory; `nil` is one without folders.
    ///   - passphrase: A file with the passphrase of the keys.
    /// - Throws: ``HostFileError``.
    init(_ path: String?, passphrase: String?) throws(HostFileError) {
        var hosts: [HostFiles] = []
        var remarks: [String] = []
        for name in try path.map(HostFile.names(inDirectory:)) ?? [] {
            let folder = "\(path ?? "")/\(name)"
            guard !name.hasPrefix("."), HostFile.isDirectory(folder) else { continue }
            // OfferedName has the one form of a name that is compared.
            let content = Array(name.utf8)
            guard content.count <= 253, let host = OfferedName(name: content).text else {
                remarks.append("\(name) is no name of a host, and is left out")
                continue
            }
            let certificates = ["", "-ec"].compactMap { kind -> CertificateFiles? in
                let chain = "\(folder)/fullchain\(kind).pem"
                guard HostFile.exists(chain) else { return nil }
                var files = CertificateFiles(
                    certificate: chain,
                    privateKey: "\(folder)/privkey\(kind).pem",
                    passphrase: passphrase
                )
                let response = "\(folder)/ocsp\(kind).der"
                if HostFile.exists(response) { files.response = response }
                return files
            }
            if certificates.isEmpty { remarks.append("\(name) is left out: no fullchain.pem") }
            if !certificates.isEmpty { hosts.append(HostFiles(host, certificates)) }
        }
        guard hosts.count <= Self.maximumCount else {
            throw HostFileError(reason: "it holds more than \(Self.maximumCount) hosts")
        }
        self.hosts = hosts
        self.remarks = remarks
    }
}
