import FTPProtocol
import LinuxSystem
import TLS
import TestSupport

/// A temporary directory that lasts as long as this object, with a certificate and its key.
final class CertificatePlace {
    let certificate: String
    let privateKey: String
    private var directory: TemporaryDirectory?

    init() throws {
        let directory = try TemporaryDirectory.make(prefix: "portcullis-test-")
        let pair = try SelfSignedCertificate.make(days: 1)
        certificate = try directory.write("certificate.pem", pair.certificate)
        privateKey = try directory.write("key.pem", pair.privateKey)
        self.directory = consume directory
    }

    deinit {
        directory.take()?.remove()
    }

    func write(_ name: String, _ content: [UInt8]) throws -> String {
        guard let written = try directory?.write(name, content) else { throw Missing() }
        return written
    }

    /// Loads the certificate, with other files where they are given.
    func context(
        certificate: String? = nil,
        privateKey: String? = nil,
        policy: TLSPolicy = TLSPolicy()
    ) throws(TLSError) -> TLSContext {
        try TLSContext.server(
            [
                CertificateFiles(
                    certificate: certificate ?? self.certificate,
                    privateKey: privateKey ?? self.privateKey
                )
            ],
            policy: policy
        )
    }
}
