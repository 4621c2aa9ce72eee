import TLS
import Testing

@Suite("Digests and comparisons of secrets")
struct DigestTests {
    // The vectors of FIPS 180-4's examples, and the digest of nothing.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func sha256MatchesItsStandard(text: String, expected: String) {
        let digest = unsafe Array(text.utf8).withUnsafeBytes { unsafe sha256($0) }
        let digits = Array("0123456789abcdef")
        let shown = digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        #expect(String(shown) == expected)
    }

    @Test func onlyTheSameBytesAreEqual() {
        let bytes: [UInt8] = [1, 2, 3, 4]
        #expect(isEqualInConstantTime(bytes, [1, 2, 3, 4]))
        #expect(isEqualInConstantTime([], []))
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 0x80
            #expect(!isEqualInConstantTime(bytes, other), "byte \(index)")
        }
    }

    @Test func anotherLengthIsNeverEqual() {
        #expect(!isEqualInConstantTime([1, 2, 3], [1, 2]))
        #expect(!isEqualInConstantTime([1, 2], [1, 2, 0]))
        #expect(!isEqualInConstantTime([], [0]))
    }
}
