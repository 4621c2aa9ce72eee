import Testing

@testable import TLS

@Suite("What is found out about certificates and OCSP responses before they are served")
struct CertificateFactsTests {
    private let place: CertificatePlace

    init() throws {
        place = try CertificatePlace()
    }

    @Test func aCertificateOfOursHasNothingAgainstIt() throws {
        let facts = try #require(CertificateFacts(file: place.certificate, host: "localhost"))
        #expect(facts.keyName == "EC P-256")
        #expect(facts.isCommon)
        #expect(facts.securityBits >= CertificateFacts.minimumSecurityBits)
        #expect(facts.chainProblem == nil)
        #expect(facts.isForHost)
        #expect((0...1).contains(facts.daysLeft))
        for level in TLSPolicy.Level.allCases { #expect(level.allowsKey(facts)) }
        #expect(CertificateFacts(file: place.certificate, host: "example.org")?.isForHost == false)
    }

    @Test func aFileWithoutCertificateTellsNothing() throws {
        #expect(CertificateFacts(file: place.privateKey) == nil)
        #expect(CertificateFacts(file: "/nonexistent") == nil)
    }

    @Test func whatFollowsMustHaveVouchedForIt() throws {
        let other = try SelfSignedCertificate.make(days: 1)
        let first = try SelfSignedCertificate.make(days: 1)
        let file = try place.write("chain.pem", first.certificate + other.certificate)
        #expect(CertificateFacts(file: file)?.chainProblem == .disorder)
        // OpenSSL's limit for a chain is not reached by reading for ever.
        let many = try place.write(
            "many.pem",
            [UInt8](repeatElement(first.certificate, count: 200).joined())
        )
        #expect(CertificateFacts(file: many) != nil)
    }

    @Test func noBytesWhatsoeverAreTakenForAResponse() throws {
        var generator = SystemRandomNumberGenerator()
        var number = 0
        for count in [0, 1, 2, 5, 100, 4_096] {
            for head in [[], [0x30], [0x30, 0x03, 0x0A, 0x01, 0x00], [0x30, 0x84]] as [[UInt8]] {
                let rest = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                number += 1
                let file = try place.write("response-\(number).der", head + rest)
                #expect(throws: StapledResponse.Problem.malformed) {
                    try StapledResponse(file: file, for: place.certificate)
                }
            }
        }
    }

    @Test func aResponseThatIsAbsentOrTooLargeIsNotRead() throws {
        let large = try place.write("large.der", [UInt8](repeating: 0x30, count: 65_537))
        for file in ["/nonexistent", large] {
            var files = CertificateFiles(
                certificate: place.certificate,
                privateKey: place.privateKey
            )
            #expect(files.responseProblem == nil)
            files.response = file
            guard case .unreadable = files.responseProblem else {
                Issue.record("\(file) was read")
                continue
            }
            // The certificate is served all the same.
            _ = try TLSContext.server([files], policy: TLSPolicy())
        }
    }

    @Test func aBrokenHostIsNamedByItsNumber() throws {
        let own = CertificateFiles(certificate: place.certificate, privateKey: place.privateKey)
        let broken = CertificateFiles(certificate: "/nonexistent", privateKey: place.privateKey)
        let error = #expect(throws: TLSError(.certificate)) {
            try TLSContext.server(
                [own],
                hosts: [HostFiles("one.example", [own]), HostFiles("two.example", [broken])],
                policy: TLSPolicy()
            )
        }
        #expect(try #require(error).number == 2)
    }
}
