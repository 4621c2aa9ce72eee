import FTPProtocol
import TestSupport
import Testing

@Suite("Paths as the client sees them")
struct VirtualPathTests {
    private func resolve(_ argument: String, from directory: String) throws -> String {
        let start = try #require(VirtualPath(directory))
        return try start.resolving(bytes(argument)).text
    }

    @Test(arguments: [
        ("/", "a", "/a"),
        ("/", "/", "/"),
        ("/a/b", "c", "/a/b/c"),
        ("/a/b", "/c", "/c"),
        ("/a/b", ".", "/a/b"),
        ("/a/b", "./", "/a/b"),
        ("/a/b", "..", "/a"),
        ("/a/b", "../..", "/"),
        ("/a/b", "../../..", "/"),
        ("/a/b", "../../../../etc/passwd", "/etc/passwd"),
        ("/a/b", "../c/../d", "/a/d"),
        ("/", "/../../a", "/a"),
        ("/", "//a///b//", "/a/b"),
        ("/", "a/./b/.", "/a/b"),
        ("/", "a/b/..", "/a"),
        ("/", "a/..", "/"),
        ("/a", "...", "/a/..."),
        ("/a", "..b", "/a/..b"),
        ("/a", ".b", "/a/.b"),
        ("/a", "b..", "/a/b.."),
        ("/a", " ", "/a/ "),
        ("/a", "-l", "/a/-l"),
        ("/a", "~", "/a/~"),
        ("/a", "b\\..\\c", "/a/b\\..\\c"),
        ("/a", "\t\u{1B}", "/a/\t\u{1B}"),
        ("/a", "é漢", "/a/é漢"),
    ])
    func areResolvedAndFolded(directory: String, argument: String, result: String) throws {
        #expect(try resolve(argument, from: directory) == result)
    }

    @Test(arguments: [
        ("", VirtualPathError.empty),
        ("a\0b", .forbiddenByte), ("\0", .forbiddenByte), ("a\r", .forbiddenByte),
        ("a\nb", .forbiddenByte), ("/a/\n/..", .forbiddenByte),
        (String(repeating: "x", count: 4_000), .tooLong),
        ("/" + String(repeating: "x", count: 4_000), .tooLong),
    ])
    func thatBreakARuleAreRefused(argument: String, error: VirtualPathError) {
        #expect(throws: error) { try VirtualPath.root.resolving(bytes(argument)) }
    }

    @Test func mayHave4000BytesAndNotOneMore() throws {
        let longest = String(repeating: "x", count: 3_999)
        #expect(try VirtualPath.root.resolving(bytes(longest)).bytes.count == 4_000)
        let start = try #require(VirtualPath("/a"))
        #expect(throws: VirtualPathError.tooLong) { try start.resolving(bytes(longest)) }
        // Only the outcome counts.
        #expect(try start.resolving(bytes("../" + longest)).bytes.count == 4_000)
        let detour = String(repeating: "x/../", count: 2_000) + "b"
        #expect(try start.resolving(bytes(detour)).text == "/a/b")
    }

    @Test func keepBytesThatAreNotUTF8() throws {
        let name: [UInt8] = [0xFF, 0xC3, 0x80]
        let path = try VirtualPath.root.resolving(name)
        #expect(path.bytes == bytes("/") + name)
        #expect(path.lastComponent == name)
        #expect(path.text.contains("\u{FFFD}"))
        // Two ways to write é stay two names, as they are on disk.
        let composed = try VirtualPath.root.resolving(bytes("\u{E9}"))
        let combined = try VirtualPath.root.resolving(bytes("e\u{301}"))
        #expect(composed != combined)
    }

    @Test(arguments: ["/", "/a", "/a/b", "/...", "/.a", "/ ", "/a b/c"])
    func fromAnotherProcessAreTakenAsTheyAre(path: String) {
        #expect(VirtualPath(bytes: bytes(path))?.text == path)
    }

    @Test(arguments: [
        "", "a", "a/b", "./a", "//", "/a/", "/a//b", "//a", "/.", "/..", "/a/.", "/a/..", "/a/./b",
        "/a/../b", "/../a", "/a\0", "/a\n", "/\r", " /a",
        "/" + String(repeating: "x", count: 4_000),
    ])
    func fromAnotherProcessAreRefusedUnlessNormalised(path: String) {
        #expect(VirtualPath(bytes: bytes(path)) == nil)
    }

    @Test func areAlwaysNormalisedHoweverTheyCameAbout() throws {
        var generator = FixedGenerator(seed: 7)
        let words = ["/", "/", ".", "..", "a", "bc", "...", "~", " "]
        var path = VirtualPath.root
        for _ in 0..<5_000 {
            let argument = (0...Int.random(in: 0...9, using: &generator))
                .map { _ in words[Int.random(in: 0..<words.count, using: &generator)] }.joined()
            path = try path.resolving(bytes(argument))
            #expect(VirtualPath(bytes: path.bytes) == path, "\(argument)")
            #expect(try VirtualPath.root.resolving(path.bytes) == path)
            let rebuilt = path.components.reduce(VirtualPath.root) {
                $0.appending(component: $1) ?? .root
            }
            #expect(rebuilt == path)
            if path.bytes.count > 200 { path = .root }
        }
    }

    @Test func knowTheirParts() throws {
        let path = try #require(VirtualPath("/a/b c/d"))
        #expect(path.components == [bytes("a"), bytes("b c"), bytes("d")])
        #expect(path.lastComponent == bytes("d"))
        #expect(path.parent.text == "/a/b c")
        #expect(path.parent.parent.parent == .root)
        #expect(!path.isRoot)
        #expect(VirtualPath.root.isRoot)
        #expect(VirtualPath.root.components.isEmpty)
        #expect(VirtualPath.root.parent == .root)
        #expect(VirtualPath.root.lastComponent == nil)
        #expect(VirtualPath.root.text == "/")
    }

    @Test func growByOneValidName() throws {
        let path = try #require(VirtualPath("/a"))
        #expect(path.appending(component: bytes("b"))?.text == "/a/b")
        #expect(VirtualPath.root.appending(component: bytes("b"))?.text == "/b")
        for name in ["", ".", "..", "b/c", "/", "b\0", "b\n", "b\r"] {
            #expect(path.appending(component: bytes(name)) == nil)
        }
        let room = VirtualPath.maximumByteCount - 3
        let longest = [UInt8](repeating: 0x78, count: room)
        #expect(path.appending(component: longest)?.bytes.count == 4_000)
        #expect(path.appending(component: longest + [0x78]) == nil)
    }

    @Test(arguments: [
        ("/", "\"/\""),
        ("/a b", "\"/a b\""),
        ("/say \"hi\"", "\"/say \"\"hi\"\"\""),
        ("/\"\"", "\"/\"\"\"\"\""),
    ])
    func areQuotedWithEachQuoteDoubled(path: String, quoted: String) throws {
        let bytes = try #require(VirtualPath(path)).quotedBytes
        #expect(String(decoding: bytes, as: UTF8.self) == quoted)
    }

    @Test(arguments: [
        ("/a b", #""/a b""#),
        (#"/a" peer=1"#, #""/a\" peer=1""#),
        (#"/a\" peer=1"#, #""/a\\\" peer=1""#),
        ("/a\u{1B}[2J\u{200B}b", #""/a\x1B[2J\xE2\x80\x8Bb""#),
    ])
    func areQuotedForTheLogAsEveryValueThere(path: String, quoted: String) throws {
        #expect(try #require(VirtualPath(path)).quoted == quoted)
    }

    @Test func fromTextAreNilWhenTheTextBreaksARule() {
        #expect(VirtualPath("a/../b")?.text == "/b")
        #expect(VirtualPath("") == nil)
        #expect(VirtualPath("a\n") == nil)
    }

    @Test(arguments: [
        ("/a/b", "/", "a/b"), ("/a/b", "/a", "b"), ("/a", "/a/b", ".."), ("/", "/a/b", "../.."),
        ("/c/d", "/a/b", "../../c/d"), ("/ab", "/a", "../ab"), ("/a", "/a", "."), ("/", "/", "."),
    ])
    func canBeToldFromADirectory(target: String, directory: String, relative: String) throws {
        let path = try #require(VirtualPath(target))
        let from = try #require(VirtualPath(directory))
        #expect(path.relative(to: from) == bytes(relative))
    }
}
