import FTPProtocol
import TestSupport
import Testing

@Suite("OPTS MODE Z, draft-preston-ftpext-deflate section 3.1")
struct DeflateOptionsTests {
    @Test(arguments: [
        ("LEVEL 0", 0), ("level 9", 9), ("ENGINE ZLIB METHOD 8 LEVEL 3", 3), ("METHOD 8", 6),
        ("LEVEL 1 LEVEL 2", 2),
    ])
    func setsTheLevel(argument: String, level: Int) {
        #expect(DeflateOptions().applying(bytes(argument))?.level == level)
    }

    @Test(arguments: [
        "", "LEVEL", "LEVEL 10", "LEVEL -1", "LEVEL x", "ENGINE GZIP", "METHOD 9", "BLOCKSIZE 1",
        "LEVEL 1 METHOD",
    ])
    func isRefusedOtherwise(argument: String) {
        #expect(DeflateOptions().applying(bytes(argument)) == nil)
    }

    @Test func keepsWhatIsNotNamed() {
        #expect(
            DeflateOptions().applying(bytes("LEVEL 3"))?.applying(bytes("METHOD 8"))?.level == 3
        )
    }
}
