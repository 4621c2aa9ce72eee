import LinuxSystem

@testable import TLS

/// A certificate with its key, in files that are there as long as they are read.
final class TestCertificate {
    private let files: CertificateFiles
    private var directory: TemporaryDirectory?

    init() throws {
        let directory = try TemporaryDirectory.make(prefix: "portcullis-fuzz-")
        let pair = try SelfSignedCertificate.make(days: 1)
        files = CertificateFiles(
            certificate: try directory.write("certificate.pem", pair.certificate),
            privateKey: try directory.write("key.pem", pair.privateKey)
        )
        self.directory = consume directory
    }

    deinit {
        directory.take()?.remove()
    }

    /// Reads what is wanted of the files.
    func use<Value>(_ body: (CertificateFiles) throws -> Value) throws -> Value {
        try body(files)
    }
}
