import TLS
import Testing

@Suite("Hashes computed piece by piece")
struct MessageDigestTests {
    /// FIPS 180-4 and RFC 1321, the examples for `abc`.
    @Test(
        arguments: [
            (.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                .sha512,
                """
                ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f
                """
            ),
            (.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (.md5, "900150983cd24fb0d6963f7d28e17f72"),
        ] as [(MessageDigest.Function, String)]
    )
    func agreeWithTheStandard(function: MessageDigest.Function, expected: String) throws {
        var digest = try MessageDigest.begin(function)
        for byte in Array("abc".utf8) {
            unsafe withUnsafeBytes(of: byte) { unsafe digest.update($0) }
        }
        let text = digest.finish().map {
            String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
        }
        #expect(text.joined() == expected)
    }
}
