import FTPProtocol
import TestSupport
import Testing

@Suite("Patterns of names")
struct GlobPatternTests {
    @Test(
        arguments: [
            ("*", "", true), ("*", "anything", true), ("**", "x", true), ("", "", true),
            ("", "x", false),
            ("*.txt", "a.txt", true), ("*.txt", ".txt", true), ("*.txt", "a.txt.gz", false),
            ("a*b*c", "abc", true), ("a*b*c", "aXbXbXc", true), ("a*b*c", "acb", false),
            ("?", "x", true), ("?", "", false), ("?", "xy", false), ("?", "é", true),
            ("??", "é", false),
            ("?", "日", true), ("[a-c]", "b", true), ("[a-c]", "d", false), ("[!a-c]", "d", true),
            ("[!a-c]", "b", false), ("[^x]", "y", true), ("[]]", "]", true), ("[!]]", "a", true),
            ("[a-]", "-", true), ("[é-ü]", "ö", true), ("[c-a]", "b", false),
            ("[abc", "[abc", true),
            ("[abc", "a", false), ("a\\*", "a*", true), ("a\\*", "ab", false), ("a\\", "a\\", true),
            ("A", "a", false), ("x*", "y", false), ("*a", "ba", true), ("*a", "ab", false),
            ("f[0-9][0-9]", "f42", true), ("*[0-9]", "f4x", false),
        ] as [(String, String, Bool)]
    )
    func matchAsInAShell(pattern: String, name: String, expected: Bool) throws {
        let pattern = try #require(GlobPattern(bytes(pattern)))
        #expect(pattern.matches(bytes(name)) == expected)
    }

    @Test func bytesThatAreNotUTF8AreCharactersToo() throws {
        let any = try #require(GlobPattern(bytes("a?b")))
        #expect(any.matches([0x61, 0xFF, 0x62]))
        #expect(try #require(GlobPattern([0xFF, 0x2A])).matches([0xFF, 0x62]))
        #expect(!(try #require(GlobPattern([0xFF]))).matches([0xFE]))
    }

    @Test(arguments: [
        ("*.KEY", "a.key"), ("*.key", "A.KEY"), ("Secret", "sEcReT"), ("[a-c]x", "BX"),
        ("[A-C]x", "bx"),
    ])
    func caseCountsUnlessSaidOtherwise(pattern: String, name: String) throws {
        let exact = try #require(GlobPattern(bytes(pattern)))
        let folded = try #require(GlobPattern(bytes(pattern), ignoresCase: true))
        #expect(!exact.matches(bytes(name)))
        #expect(folded.matches(bytes(name)))
    }

    @Test func bracketsAreLettersWhereNothingElseIsSaid() throws {
        let pattern = try #require(GlobPattern(bytes("[a]\\*"), syntax: .simple))
        #expect(pattern.matches(bytes("[a]\\x")))
        #expect(!pattern.matches(bytes("a*")))
    }

    @Test(.timeLimit(.minutes(1)))
    func noPatternTakesLong() throws {
        let name = bytes(String(repeating: "a", count: 255))
        for text in [
            String(repeating: "*a", count: 120) + "b", String(repeating: "a*", count: 120) + "b",
            "*" + String(repeating: "a", count: 200) + "b", String(repeating: "*?", count: 127),
            String(repeating: "*[!b]", count: 50) + "b",
        ] {
            let pattern = try #require(GlobPattern(bytes(text)))
            for _ in 0..<200 { _ = pattern.matches(name) }
        }
    }

    @Test func aPatternHasABound() {
        #expect(GlobPattern([UInt8](repeating: 0x2A, count: 255)) != nil)
        #expect(GlobPattern([UInt8](repeating: 0x2A, count: 256)) == nil)
    }

    @Test func noBytesOfAnyValueTrap() {
        var generator = SystemRandomNumberGenerator()
        let signs = bytes("*?[]!^-\\a.\u{E9}")
        func random() -> [UInt8] {
            (0..<Int.random(in: 0...20, using: &generator)).map { _ in
                Bool.random(using: &generator)
                    ? signs.randomElement(using: &generator) ?? 0
                    : UInt8.random(in: .min ... .max, using: &generator)
            }
        }
        for _ in 0..<20_000 { _ = GlobPattern(random())?.matches(random()) }
    }

    @Test func onlyADotThatIsOneAsksForHiddenNames() {
        #expect(GlobPattern(bytes(".*"))?.wantsHidden == true)
        #expect(GlobPattern(bytes("*.x"))?.wantsHidden == false)
        #expect(GlobPattern(bytes("[.]x"))?.wantsHidden == false)
    }
}
