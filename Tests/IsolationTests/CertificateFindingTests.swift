import LinuxSystem
import TestSupport
import Testing

@testable import Isolation

@Suite("What the process that reads certificates may say")
struct CertificateFindingTests {
    private static let samples: [CertificateFinding] = [
        .proved(subject: "CN=x", identities: ["sha256:ab", "cn:jürgen"]),
        .proved(subject: "CN=x", identities: [], issuer: "CN=y", serial: "01ff"),
        .proved(subject: "", identities: []), .refused(reason: "certificate revoked"),
    ]

    @Test(arguments: samples)
    func whatIsWrittenIsRead(finding: CertificateFinding) throws {
        #expect(try CertificateFinding(decoding: finding.encoded) == finding)
    }

    @Test(arguments: samples)
    func everyCutAndEveryByteTooManyIsRefused(finding: CertificateFinding) {
        let whole = finding.encoded
        for count in 0..<whole.count {
            #expect(throws: MessageError.self) {
                try CertificateFinding(decoding: [UInt8](whole.prefix(count)))
            }
        }
        #expect(throws: MessageError.trailingBytes(count: 1)) {
            try CertificateFinding(decoding: whole + [0])
        }
    }

    @Test func namesWithoutEndAreRefused() {
        let many = CertificateFinding.proved(
            subject: "",
            identities: [String](repeating: "a", count: 129)
        )
        #expect(throws: MessageError.tooLong(byteCount: 129)) {
            try CertificateFinding(decoding: many.encoded)
        }
        let long = CertificateFinding.refused(reason: String(repeating: "a", count: 2_049))
        #expect(throws: MessageError.tooLong(byteCount: 2_049)) {
            try CertificateFinding(decoding: long.encoded)
        }
    }

    @Test func certificatesAreProvedWhereAnythingDependsOnThem() {
        var rules = CertificateRules()
        #expect(!rules.needsProof)
        rules.isDemanded = true
        #expect(rules.needsProof)
        rules.isDemanded = false
        rules.login = .alone
        #expect(rules.needsProof)
    }
}
