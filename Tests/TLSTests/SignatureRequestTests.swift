import LinuxSystem
import Testing

@testable import TLS

@Suite("What the process that keeps the keys will sign")
struct SignatureRequestTests {
    private static let verify =
        [UInt8](repeating: 0x20, count: 64) + Array("TLS 1.3, server CertificateVerify\0".utf8)

    private func request(_ message: [UInt8], key: Int32 = 0) -> SignatureRequest {
        SignatureRequest(key: key, digest: "SHA2-256", isPSS: false, message: message)
    }

    @Test(arguments: [32, 48])
    func aTranscriptOfTLS13(count: Int) {
        #expect(request(Self.verify + [UInt8](repeating: 7, count: count)).isServerHandshake)
    }

    @Test(arguments: [
        [], Self.verify, Self.verify + [UInt8](repeating: 7, count: 33),
        [UInt8](repeating: 0x20, count: 64)
            + Array("TLS 1.3, client CertificateVerify\0".utf8) + [UInt8](repeating: 7, count: 32),
        [UInt8](repeating: 7, count: 32), [UInt8](repeating: 7, count: 100),
        [UInt8](repeating: 0, count: 64) + [3, 0, 29, 31] + [UInt8](repeating: 7, count: 31),
        [UInt8](repeating: 0, count: 64) + [3, 0, 29, 32] + [UInt8](repeating: 7, count: 33),
        [UInt8](repeating: 0, count: 64) + [3, 0, 25, 133] + [UInt8](repeating: 7, count: 133),
        [UInt8](repeating: 0, count: 64) + [1, 0, 29, 32] + [UInt8](repeating: 7, count: 32),
    ])
    func nothingElse(message: [UInt8]) {
        #expect(!request(message).isServerHandshake)
    }

    @Test(arguments: [(29, 32), (23, 65), (24, 97)] as [(UInt8, UInt8)])
    func aKeyExchangeOfTLS12(curve: UInt8, count: UInt8) {
        let message =
            [UInt8](repeating: 9, count: 64) + [3, 0, curve, count]
            + [UInt8](repeating: 7, count: Int(count))
        #expect(request(message).isServerHandshake)
    }

    @Test func whatIsWrittenIsRead() throws {
        let request = request([1, 2, 3], key: 5)
        #expect(try SignatureRequest(decoding: request.encoded) == request)
        for count in 0..<request.encoded.count {
            #expect(throws: MessageError.truncated) {
                try SignatureRequest(decoding: [UInt8](request.encoded.prefix(count)))
            }
        }
        #expect(throws: MessageError.trailingBytes(count: 1)) {
            try SignatureRequest(decoding: request.encoded + [0])
        }
    }

    @Test func aKeyThatIsNotThereAndANonsenseMessageEndTheChannel() throws {
        let files = try CertificatePlace()
        let keys = try SigningKeys([
            CertificateFiles(certificate: files.certificate, privateKey: files.privateKey)
        ])
        let message = Self.verify + [UInt8](repeating: 7, count: 32)
        #expect(try !keys.answer(request(message).encoded).isEmpty)
        for number in [-1, 1, .max] as [Int32] {
            #expect(throws: MessageError.invalidValue) {
                try keys.answer(request(message, key: number).encoded)
            }
        }
        #expect(throws: MessageError.invalidValue) { try keys.answer(request([1]).encoded) }
        #expect(throws: MessageError.self) { try keys.answer([]) }
        #expect(throws: MessageError.self) { try keys.answer([9]) }
    }
}
