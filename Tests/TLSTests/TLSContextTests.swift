import LinuxSystem
import Testing

@testable import TLS

@Suite("Certificates and keys that a server loads")
struct TLSContextTests {
    private let place: CertificatePlace

    init() throws {
        place = try CertificatePlace()
    }

    @Test(arguments: [
        TLSPolicy(), TLSPolicy(allows12: false), TLSPolicy(allows13: false),
        TLSPolicy(clientCertificates: ClientCertificatePolicy(isRequested: true)),
    ])
    func aSelfSignedCertificateLoadsWithItsKey(policy: TLSPolicy) throws {
        _ = try place.context(policy: policy)
    }

    @Test func eachCertificateHasAKeyOfItsOwn() throws {
        let first = try SelfSignedCertificate.make(days: 1)
        let second = try SelfSignedCertificate.make(days: 1)
        #expect(first.privateKey != second.privateKey)
        #expect(first.certificate != second.certificate)
        let certificate = String(decoding: first.certificate, as: UTF8.self)
        #expect(certificate.hasPrefix("-----BEGIN CERTIFICATE-----\n"))
        #expect(!certificate.contains("PRIVATE KEY"))
    }

    @Test func aMissingCertificateIsNamed() {
        #expect(throws: TLSError(.certificate)) {
            try place.context(certificate: "/nonexistent/certificate.pem")
        }
    }

    @Test func aMissingKeyIsNamed() {
        #expect(throws: TLSError(.privateKey)) {
            try place.context(privateKey: "/nonexistent/key.pem")
        }
    }

    @Test(arguments: [
        "", "no PEM\n", block("CERTIFICATE"), block("PRIVATE KEY"),
    ])
    func garbageIsNeitherCertificateNorKey(text: String) throws {
        let garbage = try place.write("garbage.pem", Array(text.utf8))
        #expect(throws: TLSError(.certificate)) { try place.context(certificate: garbage) }
        #expect(throws: TLSError(.privateKey)) { try place.context(privateKey: garbage) }
    }

    @Test func theFilesAreNotExchanged() {
        #expect(throws: TLSError(.certificate)) {
            try place.context(certificate: place.privateKey, privateKey: place.certificate)
        }
        #expect(throws: TLSError(.privateKey)) {
            try place.context(privateKey: place.certificate)
        }
    }

    @Test func theKeyOfAnotherCertificateDoesNotFit() throws {
        let other = try CertificatePlace()
        #expect(throws: TLSError(.keyMismatch)) {
            try place.context(privateKey: other.privateKey)
        }
    }

    @Test func theLogLearnsWhatOpenSSLSaid() throws {
        let error = #expect(throws: TLSError.self) {
            try place.context(certificate: "/nonexistent/certificate.pem")
        }
        let description = try #require(error).description
        #expect(description.hasPrefix("certificate: "))
        #expect(description.lowercased().contains("no such file"))
        #expect(TLSError(.handshake).description == "handshake")
    }

    @Test func aFailureLeavesNothingForTheNextOne() throws {
        let other = try CertificatePlace()
        func mismatch() throws -> [UInt] {
            let error = #expect(throws: TLSError(.keyMismatch)) {
                try place.context(privateKey: other.privateKey)
            }
            return try #require(error).queue
        }
        let alone = try mismatch()
        #expect(!alone.isEmpty)
        #expect(throws: TLSError(.certificate)) {
            try place.context(certificate: "/nonexistent/certificate.pem")
        }
        #expect(try mismatch() == alone)
    }

    @Test(arguments: ["", "no PEM\n", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
    func garbageIsNeitherAuthoritiesNorRevocations(text: String) throws {
        let garbage = try place.write("garbage.pem", Array(text.utf8))
        func load(_ authorities: String, _ revocations: String?) throws {
            _ = try place.context(
                policy: TLSPolicy(
                    clientCertificates: ClientCertificatePolicy(
                        isRequested: true,
                        isValidated: true,
                        authoritiesFile: authorities,
                        revocationsFile: revocations
                    )
                )
            )
        }
        try load(place.certificate, nil)
        #expect(throws: TLSError(.authorities)) { try load(garbage, nil) }
        #expect(throws: TLSError(.revocations)) { try load(place.certificate, garbage) }
        #expect(throws: TLSError(.revocations)) {
            try load(place.certificate, place.certificate)
        }
    }

    @Test func everySessionGetsAScopeOfItsOwn() throws {
        let context = try place.context()
        try context.beginSessionScope()
        try context.beginSessionScope()
    }

    @Test func aContextIsLentAgainOnceNobodyHoldsIt() throws {
        let files = CertificateFiles(certificate: place.certificate, privateKey: place.privateKey)
        let credentials = try ServerCredentials.load(files, policy: TLSPolicy())
        func number(_ context: TLSContext?) -> ObjectIdentifier? {
            context.map(ObjectIdentifier.init)
        }
        var first: TLSContext? = try credentials.takeContext()
        var second: TLSContext? = try credentials.takeContext()
        let numbers = [number(first), number(second)]
        #expect(numbers[0] != numbers[1])
        credentials.giveBack(&first)
        #expect(first == nil)
        first = try credentials.takeContext()
        #expect(number(first) == numbers[0])
        let held = second
        credentials.giveBack(&second)
        second = try credentials.takeContext()
        #expect(number(second) != number(held))
    }

    @Test func errorsAreComparedByTheirCodeAlone() {
        #expect(TLSError(.handshake, queue: [1]) == TLSError(.handshake, queue: [2, 3]))
        #expect(TLSError(.handshake) != TLSError(.transport))
    }
}

/// PEM that holds nothing.
private func block(_ label: String) -> String {
    "-----BEGIN \(label)-----\nAAAA\n-----END \(label)-----\n"
}
