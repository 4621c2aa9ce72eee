internal import TLS

/// A certificate and its key, read once and shared by any number of servers.
public final class TLSCertificate: Sendable {
    let credentials: ServerCredentials
    let files: CertificateFiles
    let policy: TLSPolicy

    /// Reads a certificate and its key.
    ///
    /// - Parameters:
    ///   - certificate: A PEM file, the server's certificate first.
    ///   - key: A PEM file with its key; `nil` for the same file.
    ///   - minimumVersion: The oldest version of TLS that is spoken.
    ///   - options: What of TLS is offered; what it says of clients has no effect here.
    /// - Throws: ``ServerError`` when one of them cannot be read, or they do not belong together.
    public convenience init(
        certificate: String,
        key: String? = nil,
        minimumVersion: FTPHandler.TLSVersion = .tls12,
        options: FTPHandler.TLSOptions = FTPHandler.TLSOptions()
    ) throws(ServerError) {
        var settings = FTPHandler.Settings(authorizer: DummyAuthorizer())
        settings.tlsMinimumVersion = minimumVersion
        settings.tlsOptions = options
        try self.init(
            CertificateFiles(certificate: certificate, privateKey: key ?? certificate),
            try settings.policy
        )
    }

    init(_ files: CertificateFiles, _ policy: TLSPolicy) throws(ServerError) {
        do throws(TLSError) {
            credentials = try ServerCredentials.load(files, policy: policy)
        } catch {
            let (file, mend) =
                switch error.code {
                case .privateKey, .keyMismatch:
                    (files.privateKey, "name the file with the key of \(files.certificate)")
                default: (files.certificate, "name a readable file with a certificate in PEM")
                }
            throw ServerError("certificate: \(file): \(error): \(mend)")
        }
        self.files = files
        self.policy = policy
    }
}
