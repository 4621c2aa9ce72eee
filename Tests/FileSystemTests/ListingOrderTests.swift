import FTPProtocol
import FileSystem
import Glibc
import TestSupport
import Testing

@Suite("The order and the choice of a listing")
struct ListingOrderTests {
    private let ground: Ground

    init() throws {
        ground = try Ground()
        for (name, size, time) in [
            ("b", 3, 500), ("a", 1, 300), ("c", 2, 300), ("d", 3, 100), (".hidden", 9, 900),
        ] {
            try ground.write(name, String(repeating: "x", count: size))
            var times = [timespec(tv_sec: time, tv_nsec: 0), timespec(tv_sec: time, tv_nsec: 0)]
            try #require(unsafe utimensat(AT_FDCWD, "\(ground.root)/\(name)", &times, 0) == 0)
        }
    }

    @Test(
        arguments: [
            ([.sorted], "abcd"), ([.sorted, .reversed], "dcba"), ([.sorted, .byTime], "bacd"),
            ([.sorted, .byTime, .reversed], "dcab"), ([.sorted, .bySize], "bdca"),
            ([.sorted, .bySize, .reversed], "acdb"), ([.sorted, .byTime, .namesOnly], "bacd"),
        ] as [(ListingOptions, String)]
    )
    func isThatOfLs(options: ListingOptions, expected: String) throws {
        let jail = try ground.jail()
        #expect(try list("/", in: jail, options).names == expected.map(String.init))
    }

    private func matches(_ pattern: String, _ options: ListingOptions = .sorted) throws -> [String]
    {
        let jail = try ground.jail()
        try jail.beginListing(of: .root, ListingQuery(options, matching: bytes(pattern)))
        return try jail.nextEntries().names
    }

    @Test func aPatternChoosesNames() throws {
        #expect(try matches("[ab]") == ["a", "b"])
        #expect(try matches("*") == ["a", "b", "c", "d"])
        #expect(try matches("*", [.sorted, .hidden]) == [".hidden", "a", "b", "c", "d"])
        #expect(try matches(".*") == [".hidden"])
        #expect(try matches("x*").isEmpty)
        #expect(try matches(String(repeating: "?", count: 256)).isEmpty)
        #expect(try matches("[!a]", [.sorted, .byTime, .reversed]) == ["d", "c", "b"])
    }

    @Test func aPatternNeedsADirectory() throws {
        let jail = try ground.jail()
        #expect(
            thrown { try jail.beginListing(of: path("/a"), ListingQuery([], matching: bytes("*"))) }
                == FileError.notDirectory
        )
    }

    @Test func whatIsListedIsDescribed() throws {
        let jail = try ground.jail()
        #expect(try jail.beginListing(of: .root, .sorted).kind == .directory)
        #expect(try jail.beginListing(of: path("/b"), .sorted).size == 3)
    }

    @Test func aLinkCanBeRefused() throws {
        let ground = try Ground()
        try ground.makeDirectory("d")
        try ground.write("d/inside")
        try ground.link("l", to: "d")
        let jail = try ground.jail()
        #expect(try list("/l", in: jail, [.sorted]).names == ["inside"])
        #expect(try list("/l", in: jail, [.sorted, .refusesLink]).names == ["l"])
        #expect(try list("/d", in: jail, [.sorted, .refusesLink]).names == ["inside"])
    }
}

@Suite("Listings of directories within directories")
struct RecursiveListingTests {
    private func ground() throws -> Ground {
        let ground = try Ground()
        for name in ["b", "b/deep", "b/deep/er", "a"] { try ground.makeDirectory(name) }
        for name in ["top", "a/1", "a/2", "b/3", "b/deep/4", "b/deep/er/5"] {
            try ground.write(name)
        }
        try ground.link("b/up", to: "..")
        return ground
    }

    /// Everything as lines: directories with a colon, entries without.
    private func lines(
        _ ground: Ground,
        _ limits: RecursiveListing.Limits = .init()
    ) throws -> (lines: [String], cut: RecursiveListing.Cut?) {
        let jail = try ground.jail()
        try jail.beginListing(of: .root, .sorted)
        let listing = RecursiveListing(jail, of: .root, .sorted, limits: limits)
        var lines: [String] = []
        while let piece = try listing.next() {
            switch piece {
            case .directory(let relative):
                lines.append(String(decoding: relative, as: UTF8.self) + ":")
            case .entries(let entries): lines += entries.names
            }
        }
        return (lines, listing.cut)
    }

    @Test func goDepthFirstAndFollowNoLink() throws {
        let (lines, cut) = try lines(ground())
        #expect(
            lines == [
                ":", "a", "b", "top", "a:", "1", "2", "b:", "3", "deep", "up", "b/deep:", "4", "er",
                "b/deep/er:", "5",
            ]
        )
        #expect(cut == nil)
    }

    @Test func endAtEachLimitAndSaySo() throws {
        let ground = try ground()
        var limits = RecursiveListing.Limits()
        limits.depth = 2
        let shallow = try lines(ground, limits)
        #expect(!shallow.lines.contains("b/deep:"))
        #expect(shallow.lines.contains("deep"))
        #expect(shallow.cut == .depth(2))

        limits = .init()
        limits.entries = 5
        let few = try lines(ground, limits)
        #expect(few.lines == [":", "a", "b", "top", "a:", "1", "2", "b:"])
        #expect(few.cut == .entries(5))

        limits = .init()
        limits.entries = 11
        #expect(try lines(ground, limits).cut == nil)

        limits = .init()
        limits.directories = 2
        let two = try lines(ground, limits)
        #expect(two.lines.filter { $0.hasSuffix(":") } == [":", "a:"])
        #expect(two.cut == .directories(2))

        limits = .init()
        limits.waitingByteCount = 0
        #expect(try lines(ground, limits).lines == [":", "a", "b", "top"])

        limits = .init()
        limits.duration = .zero
        let late = try lines(ground, limits)
        #expect(late.lines.isEmpty)
        #expect(late.cut == .time(.zero))
    }

    @Test func leaveOutWhatCannotBeOpened() throws {
        let ground = try ground()
        let jail = try ground.jail()
        try jail.beginListing(of: .root, .sorted)
        let listing = RecursiveListing(jail, of: .root, .sorted)
        #expect(try listing.next() == .directory([]))
        _ = try listing.next()
        // What was a directory a moment ago is a link now.
        try jail.rename(path("/b"), to: path("/elsewhere"))
        try ground.link("b", to: "elsewhere")
        try jail.removeFile(path("/a/1"))
        try jail.removeFile(path("/a/2"))
        try jail.removeDirectory(path("/a"))
        var seen: [String] = []
        while let piece = try listing.next() {
            if case .entries(let entries) = piece { seen += entries.names }
        }
        #expect(!seen.contains("3"))
    }
}
