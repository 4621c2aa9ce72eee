import FTPProtocol
import TestSupport
import Testing

@Suite("The argument of XCRC and its kin")
struct DigestArgumentTests {
    private func read(_ text: String) -> [String] {
        DigestArgument.candidates(bytes(text)).map {
            let range = $0.range.map { "\($0.start)+\($0.count.map(String.init) ?? "")" }
            return "\(String(decoding: $0.path, as: UTF8.self))|\(range ?? "")"
        }
    }

    @Test(arguments: [
        ("file", ["file|"]),
        ("a file", ["a file|"]),
        ("file 5", ["file 5|", "file|5+"]),
        ("file 5 9", ["file 5 9|", "file|5+4", "file 5|9+"]),
        ("my file 0 0", ["my file 0 0|", "my file|0+0", "my file 0|0+"]),
        ("file x 9", ["file x 9|", "file x|9+"]),
        ("file 9 5", ["file 9 5|", "file 9|5+"]),
        ("5 9", ["5 9|", "5|9+"]),
        ("file -1", ["file -1|"]),
        ("\"a \"\"b\"\" 1\"", ["a \"b\" 1|"]),
        ("\"file\" 5", ["file|5+"]),
        ("\"file\" 5 9", ["file|5+4"]),
        ("\"file", ["\"file|"]),
    ])
    func mayMeanMoreThanOneThing(argument: String, meant: [String]) {
        #expect(read(argument) == meant)
    }

    @Test(arguments: [
        "", "\"file\"5", "\"file\" 9 5", "\"file\" x", "\"file\" 1 2 3",
        "\"file\" 9223372036854775808", "\"file\" -1",
    ])
    func isRefusedOtherwise(argument: String) {
        #expect(read(argument).isEmpty)
    }

    @Test func rangesKnowTheirEndInAFile() throws {
        let whole = try #require(ByteRange(start: 0))
        #expect(whole.end(in: 10) == 10 && whole.end(in: 0) == 0)
        let middle = try #require(ByteRange(start: 4, end: 8))
        #expect(middle.end(in: 10) == 8 && middle.end(in: 6) == 6)
        #expect(middle.end(in: 4) == 4 && middle.end(in: 3) == nil)
        let last = try #require(ByteRange(start: .max, count: .max))
        #expect(last.end(in: .max) == .max && last.end(in: .max - 1) == nil)
        #expect(ByteRange(start: -1) == nil)
        #expect(ByteRange(start: 5, end: 4) == nil)
        #expect(ByteRange(start: 0, end: .max)?.count == UInt64(Int64.max))
    }
}

@Suite("Quoted words")
struct QuotedWordTests {
    @Test(arguments: [
        ("a b", "a", "b"), ("\"a b\" c", "a b", "c"), ("a \"b \"\"c\"\"\"", "a", "b \"c\""),
        ("\"a\" \"b\"", "a", "b"), ("a\"b c", "a\"b", "c"),
    ])
    func comeInPairs(argument: String, first: String, second: String) throws {
        let pair = try #require(QuotedWord.pair(bytes(argument)))
        #expect(pair.first == bytes(first) && pair.second == bytes(second))
    }

    @Test(arguments: [
        "", "a", "a ", " b", "a b c", "\"a\"", "\"a\"b", "a \"b\" c", "a \"b\"c", "\"\" b",
        "a \"\"",
        "a  b",
    ])
    func areNoPairOtherwise(argument: String) {
        #expect(QuotedWord.pair(bytes(argument)) == nil)
    }
}

@Suite("Hash algorithms, draft-bryan-ftpext-hash")
struct HashAlgorithmTests {
    @Test func areFoundByNameInAnyCase() {
        #expect(HashAlgorithm(name: bytes("sha-256")) == .sha256)
        #expect(HashAlgorithm(name: bytes("CRC32")) == .crc32)
        #expect(HashAlgorithm(name: bytes("SHA-384")) == nil)
        #expect(HashAlgorithm(name: []) == nil)
    }

    @Test func areListedWithTheChosenOneMarked() {
        #expect(HashAlgorithm.sha256.featText == "SHA-256*;SHA-512;SHA-1;MD5;CRC32")
        #expect(HashAlgorithm.md5.featText == "SHA-256;SHA-512;SHA-1;MD5*;CRC32")
    }
}

@Suite("The argument of MFF, draft-somers-ftp-mfxx section 5")
struct FactChangesTests {
    @Test(arguments: [
        ("Modify=20010203040506; f", "Modify=20010203040506;", "f"),
        ("unix.mode=644; a b", "UNIX.mode=0644;", "a b"),
        (
            "UNIX.mode=4711;UNIX.group=7;MODIFY=20010203040506; ;",
            "Modify=20010203040506;UNIX.group=7;UNIX.mode=4711;", ";"
        ),
    ])
    func namesFactsAndAPath(argument: String, facts: String, path: String) throws {
        let changes = try FactChanges(argument: bytes(argument))
        #expect(changes.text == facts)
        #expect(changes.path == bytes(path))
    }

    @Test(arguments: [
        "", "f", "Modify=20010203040506;", "Modify=20010203040506; ", "Modify=20010203040506 f",
        "; f", "Modify; f", "Modify=x; f", "UNIX.mode=9; f", "UNIX.mode=12345; f",
        "UNIX.group=root; f", "UNIX.group=4294967295; f", "UNIX.group=-1; f",
        "UNIX.mode=644;UNIX.mode=600; f", "Modify=20010230040506; f",
    ])
    func isRefusedOtherwise(argument: String) {
        #expect(throws: FactChangesError.malformed) { try FactChanges(argument: bytes(argument)) }
    }

    @Test(arguments: ["Create=20010203040506; f", "Size=5; f", "UNIX.owner=0; f", "=x; f"])
    func mayNameAFactThatNobodyCanSet(argument: String) {
        #expect(throws: FactChangesError.unsupported) { try FactChanges(argument: bytes(argument)) }
    }
}

@Suite("The argument of SITE UTIME")
struct UtimeArgumentTests {
    @Test(arguments: [
        ("200102030405 f", "20010203040500", "f"),
        ("20010203040506 a b", "20010203040506", "a b"),
        ("f 19990101000000 20010203040506 19980101000000 UTC", "20010203040506", "f"),
        ("a b 19990101000000 20010203040506 19980101000000 utc", "20010203040506", "a b"),
        ("20010203040506 x 19990101000000 UTC", "20010203040506", "x 19990101000000 UTC"),
    ])
    func hasTwoForms(argument: String, time: String, path: String) throws {
        let change = try #require(UtimeArgument(argument: bytes(argument)))
        #expect(change.modified.timeVal == time)
        #expect(change.path == bytes(path))
    }

    @Test(arguments: [
        "", "f", "20010203040506", "20010203040506 ", "2001020304 f", "f 20010203040506",
        "20010230040506 f", "f 19990101000000 x 19980101000000 UTC",
    ])
    func isRefusedOtherwise(argument: String) {
        #expect(UtimeArgument(argument: bytes(argument)) == nil)
    }
}

@Suite("The argument of RANG, draft-bryan-ftp-range section 3.1")
struct RangeArgumentTests {
    @Test(
        arguments: [
            ("0 0", 0, 1), ("0 9", 0, 10), ("5 5", 5, 1), ("1 1", 1, 1),
            ("0 9223372036854775807", 0, 1 << 63),
            ("9223372036854775807 9223372036854775807", .max, 1),
        ] as [(String, Int64, UInt64)]
    )
    func namesTheFirstAndTheLastByte(argument: String, start: Int64, count: UInt64) throws {
        let part = try #require(RangeArgument(argument: bytes(argument))?.part)
        #expect(part.start == start && part.count == count)
    }

    @Test func maySetItBack() {
        #expect(RangeArgument(argument: bytes("1 0")) == .reset)
        #expect(RangeArgument.reset.part == nil)
    }

    @Test(arguments: [
        "", "0", "0 ", " 0", "2 1", "2 0", "-1 5", "0 x", "0 1 2", "0  1", "0 9223372036854775808",
    ])
    func isRefusedOtherwise(argument: String) {
        #expect(RangeArgument(argument: bytes(argument)) == nil)
    }
}
