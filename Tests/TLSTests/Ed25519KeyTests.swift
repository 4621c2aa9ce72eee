import TestSupport
import Testing

@testable import TLS

@Suite("Keys that sign the audit trail, RFC 8032")
struct Ed25519KeyTests {
    private static func bytes(_ digits: String) -> [UInt8] {
        var rest = Array(digits)
        var bytes: [UInt8] = []
        while rest.count >= 2 {
            bytes.append(UInt8(String(rest.prefix(2)), radix: 16) ?? 0)
            rest.removeFirst(2)
        }
        return bytes
    }

    /// Section 7.1, tests 1 and 2.
    private static let vectors: [(seed: String, key: String, message: String, signature: String)] =
        [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e"
                    + "39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f"
                    + "3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            ),
        ]

    @Test(arguments: vectors.indices)
    func theyAreThoseOfTheStandard(index: Int) throws {
        let vector = Self.vectors[index]
        let key = try Ed25519Key.reading(Self.bytes(vector.seed))
        let message = Self.bytes(vector.message)
        #expect(key.publicKey == Self.bytes(vector.key))
        #expect(try key.sign(message) == Self.bytes(vector.signature))
        #expect(
            Ed25519Key.isGood(Self.bytes(vector.signature), of: message, by: key.publicKey)
        )
    }

    @Test func nothingElseIsGood() throws {
        let key = try Ed25519Key.reading([UInt8](repeating: 7, count: 32))
        let other = try Ed25519Key.reading([UInt8](repeating: 8, count: 32))
        let signature = try key.sign([1, 2, 3])
        #expect(!Ed25519Key.isGood(signature, of: [1, 2, 4], by: key.publicKey))
        #expect(!Ed25519Key.isGood(signature, of: [1, 2, 3], by: other.publicKey))
        #expect(
            !Ed25519Key.isGood([UInt8](signature.dropLast()), of: [1, 2, 3], by: key.publicKey)
        )
        #expect(!Ed25519Key.isGood(signature, of: [1, 2, 3], by: []))
        #expect(throws: TLSError.self) { _ = try Ed25519Key.reading([1]) }
    }
}
