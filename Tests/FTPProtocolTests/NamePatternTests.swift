import FTPProtocol
import TestSupport
import Testing

@Suite("Patterns of paths")
struct NamePatternTests {
    private func names(_ path: String) -> [[UInt8]] {
        path.split(separator: "/").map { Array($0.utf8) }
    }

    @Test(
        arguments: [
            ("*.key", "/a.key", true, true), ("*.key", "/d/A.KEY", true, true),
            ("*.key", "/x.key/inside", false, true), ("private", "/private", true, true),
            ("private", "/a/private/b/c", false, true), ("private", "/privates", false, false),
            ("/private", "/private", true, true), ("/private", "/a/private", false, false),
            ("/private", "/private/deep/er", false, true), ("a/b", "/a/b", true, true),
            ("a/b", "/x/a/b", true, true), ("a/b", "/a/x/b", false, false),
            ("a/b", "/x/a/b/c", false, true), ("/in/*", "/in/x", true, true),
            ("/in/*", "/in/x/y", false, true), ("/in/*", "/in", false, false),
            ("*", "/", false, false), ("/", "/", false, false), ("x", "/", false, false),
        ] as [(String, String, Bool, Bool)]
    )
    func describeAPathOrCoverIt(
        pattern: String,
        path: String,
        describes: Bool,
        covers: Bool
    ) throws {
        guard let pattern = NamePattern(bytes(pattern), ignoresCase: true) else {
            #expect(!describes && !covers)
            return
        }
        #expect(pattern.describes(names(path)) == describes)
        #expect(pattern.covers(names(path)) == covers)
    }

    @Test func bracesStandForEither() throws {
        let patterns = try NamePatterns(bytes("{*.mp3,*.mov,.private}"), ignoresCase: true)
        for name in ["a.mp3", "B.MOV", ".private"] { #expect(patterns.describe(names(name))) }
        #expect(!patterns.describe(names("a.mp4")))
        let two = try NamePatterns(bytes("{a,b}.{c,d}"), ignoresCase: false)
        for name in ["a.c", "a.d", "b.c", "b.d"] { #expect(two.describe(names(name))) }
        #expect(!two.describe(names("a.b")))
        let places = try NamePatterns(bytes("{/in,/out}/*.csv"), ignoresCase: false)
        #expect(places.describe(names("/out/x.csv")))
        #expect(!places.describe(names("/x.csv")))
    }

    @Test(
        arguments: [
            ("{a", .braces), ("a}", .braces), ("{a,{b,c}}", .braces), ("{a,}", .noPattern),
            ("/", .noPattern), (String(repeating: "x", count: 256), .noPattern),
            ("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", .tooMany),
            ("{" + String(repeating: "a,", count: 100) + "a}", .tooMany),
        ] as [(String, NamePatterns.Problem)]
    )
    func nonsenseIsRefused(text: String, problem: NamePatterns.Problem) {
        #expect(throws: problem) { try NamePatterns(bytes(text), ignoresCase: true) }
    }

    @Test func manyBracesDoNotTakeMemory() {
        let text = String(repeating: "{a,b}", count: 10_000)
        #expect(throws: NamePatterns.Problem.tooMany) {
            try NamePatterns(bytes(text), ignoresCase: true)
        }
    }

    @Test func directoriesOnTheWayAreKnown() throws {
        let patterns = try NamePatterns(bytes("{/a/b*/c,*.x}"), ignoresCase: true)
        #expect(patterns.lead(through: bytes("a")))
        #expect(patterns.lead(through: bytes("bbb")))
        #expect(!patterns.lead(through: bytes("c")))
        #expect(!patterns.lead(through: bytes("d.x")))
    }
}
