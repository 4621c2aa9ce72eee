import FTPProtocol
import Glibc
import LinuxSystem
import TestSupport
import Testing

@testable import FileSystem

@Suite("Listings of directories")
struct JailListingTests {
    @Test func sortedMeansByTheBytesOfTheName() throws {
        let ground = try Ground()
        for name in ["b", "B", "a", "é", "10", "9", "a.b", "ab"] { try ground.write(name) }
        let names = try list("/", in: ground.jail()).names
        #expect(names == ["10", "9", "B", "a", "a.b", "ab", "b", "é"])
    }

    @Test func hiddenNamesAndDotsComeOnlyWhenAskedFor() throws {
        let ground = try Ground()
        for name in ["a", ".hidden", "..also"] { try ground.write(name) }
        let jail = try ground.jail()
        #expect(try list("/", in: jail).names == ["a"])
        #expect(try list("/", in: jail, [.sorted, .hidden]).names == ["..also", ".hidden", "a"])
        #expect(try list("/", in: jail, [.sorted, .dots]).names == [".", "..", "a"])
        let all = try list("/", in: jail, [.sorted, .dots, .hidden]).names
        #expect(all == [".", "..", "..also", ".hidden", "a"])
    }

    @Test func theDirectoryAboveTheRootIsTheRoot() throws {
        let ground = try Ground()
        let entries = try list("/", in: ground.jail(), [.sorted, .dots])
        let root = try ground.jail().facts(of: .root, for: .showing)
        #expect(entries.named("..")?.facts == root)
        #expect(entries.named(".")?.facts == root)
    }

    @Test func theDirectoryAboveAnInnerOneIsItsParent() throws {
        let ground = try Ground()
        try ground.makeDirectory("a")
        try ground.makeDirectory("a/b")
        let jail = try ground.jail()
        let entries = try list("/a/b", in: jail, [.dots])
        #expect(try entries.named("..")?.facts == jail.facts(of: path("/a"), for: .showing))
    }

    @Test func aLinkToTheRootDoesNotShowWhatLiesAboveEither() throws {
        let ground = try Ground()
        try ground.link("top", to: "/")
        let jail = try ground.jail()
        let entries = try list("/top", in: jail, [.sorted, .dots])
        #expect(try entries.named("..")?.facts == jail.facts(of: .root, for: .showing))
    }

    @Test func factsAreThoseOfEachName() throws {
        let ground = try Ground()
        try ground.write("file", "12345")
        try ground.makeDirectory("directory")
        try #require(unsafe mkfifo("\(ground.root)/pipe", 0o600) == 0)
        let jail = try ground.jail()
        let entries = try list("/", in: jail)
        for name in ["file", "directory", "pipe"] {
            let entry = try #require(entries.named(name))
            #expect(try entry.facts == jail.facts(of: path("/\(name)"), for: .showing))
            #expect(entry.target == nil)
        }
        #expect(entries.named("pipe")?.facts.kind == .fifo)
    }

    @Test func aLinkIsShownAsItselfWithItsText() throws {
        let ground = try Ground()
        try ground.makeDirectory("directory")
        try ground.link("link", to: "directory")
        let entry = try list("/", in: ground.jail()).named("link")
        #expect(entry?.facts.kind == .symbolicLink)
        #expect(entry?.target == bytes("directory"))
    }

    @Test func aLinkIsFollowedOnlyInside() throws {
        let ground = try Ground()
        try ground.write("file", "12345")
        try ground.link("good", to: "/file")
        try ground.link("out", to: "\(ground.outside)/secret")
        try ground.link("dangling", to: "nowhere")
        let entries = try list("/", in: ground.jail(), [.sorted, .followsLinks])
        #expect(entries.named("good")?.facts == entries.named("file")?.facts)
        #expect(entries.named("good")?.target == nil)
        #expect(entries.named("out")?.facts.kind == .symbolicLink)
        #expect(entries.named("dangling")?.facts.kind == .symbolicLink)
        #expect(entries.named("dangling")?.target == bytes("nowhere"))
    }

    @Test func namesAloneComeWithoutALookAtTheFacts() throws {
        let ground = try Ground()
        for name in ["a", "b", ".c"] { try ground.write(name, "text") }
        try ground.makeDirectory("d")
        let entries = try list("/", in: ground.jail(), [.sorted, .namesOnly])
        #expect(entries.names == ["a", "b", "d"])
        #expect(entries.allSatisfy { $0.facts.inode == 0 && $0.facts.size == 0 })
    }

    @Test func aDirectoryItselfIsOneEntry() throws {
        let ground = try Ground()
        try ground.makeDirectory("directory")
        try ground.write("directory/file")
        let jail = try ground.jail()
        let entries = try list("/directory", in: jail, [.sorted, .directoryItself])
        #expect(entries.names == ["directory"])
        #expect(entries.first?.facts.kind == .directory)
        #expect(try list("/", in: jail, .directoryItself).names == ["."])
    }

    @Test func aFileIsOneEntry() throws {
        let ground = try Ground()
        try ground.makeDirectory("a")
        try ground.write("a/file", "12345")
        let entries = try list("/a/file", in: ground.jail())
        #expect(entries.names == ["file"])
        #expect(entries.first?.facts.size == 5)
    }

    @Test func aDirectoryBehindALinkIsListed() throws {
        let ground = try Ground()
        try ground.makeDirectory("a")
        try ground.write("a/file")
        try ground.link("link", to: "/a")
        #expect(try list("/link", in: ground.jail()).names == ["file"])
    }

    @Test func whatIsMissingIsReported() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        #expect(thrown { _ = try list("/missing", in: jail) } == FileError.notFound)
        #expect(try jail.nextEntries().isEmpty)
    }

    @Test func namesOfAnyBytesComeUnchanged() throws {
        let ground = try Ground()
        let odd: [[UInt8]] = [bytes("a\nb"), [0xFF, 0xFE], bytes("c d"), bytes("\r"), bytes("\\")]
        for name in odd {
            let full = bytes("\(ground.root)/") + name + [0]
            let number = unsafe full.withUnsafeBytes {
                unsafe $0.withMemoryRebound(to: CChar.self) { unsafe symlinkTo("x", $0) }
            }
            try #require(number == 0)
        }
        let entries = try list("/", in: ground.jail(), [.sorted, .followsLinks])
        #expect(Set(entries.map(\.name)) == Set(odd))
        #expect(entries.allSatisfy { $0.target == bytes("x") })
    }

    private func symlinkTo(_ target: String, _ name: UnsafeBufferPointer<CChar>) -> CInt {
        guard let start = name.baseAddress else { return -1 }
        return unsafe symlink(target, start)
    }

    @Test func anEmptyDirectoryHasNoEntries() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        #expect(try list("/", in: jail, [.sorted, .hidden]).isEmpty)
        #expect(try list("/", in: jail, []).isEmpty)
    }

    @Test func aNewListingEndsTheOldOne() throws {
        let ground = try Ground()
        try ground.makeDirectory("a")
        try ground.write("a/inner")
        let jail = try ground.jail()
        try jail.beginListing(of: .root, .sorted)
        #expect(try list("/a", in: jail).names == ["inner"])
        #expect(try jail.nextEntries().isEmpty)
    }
}

@Suite("Listings of large directories")
struct LargeListingTests {
    /// A directory of 5,000 names, a thousand of them as long as a name can be.
    private static func fill(_ ground: Ground) throws -> Set<String> {
        var names: Set<String> = []
        for index in 0..<5_000 {
            let text = "\(index)-"
            let count = index % 5 == 0 ? 255 : 8
            names.insert(text + String(repeating: "x", count: max(0, count - text.utf8.count)))
        }
        for name in names { try ground.write(name) }
        return names
    }

    private static func pieces(
        _ jail: Jail,
        _ options: ListingOptions
    ) throws -> [EntryPiece] {
        try jail.beginListing(of: .root, options)
        var pieces: [EntryPiece] = []
        while true {
            let piece = try jail.nextEntries()
            if piece.isEmpty { return pieces }
            pieces.append(piece)
        }
    }

    @Test(arguments: [.sorted, [], [.sorted, .namesOnly]] as [ListingOptions])
    func comeCompleteAndInPiecesThatFitIntoAMessage(options: ListingOptions) throws {
        let ground = try Ground()
        let expected = try Self.fill(ground)
        let pieces = try Self.pieces(ground.jail(), options)
        #expect(pieces.count > 5)
        for piece in pieces {
            let message = FileReply.entries(piece).encoded
            #expect(message.count <= MessageSocket.maximumByteCount)
            #expect(try FileReply(decoding: message) == .entries(piece))
        }
        let names = pieces.flatMap(\.names)
        #expect(names.count == expected.count)
        #expect(Set(names) == expected)
        if options.contains(.sorted) {
            #expect(names == expected.sorted { bytes($0).lexicographicallyPrecedes(bytes($1)) })
        }
    }

    @Test func longTargetsOfLinksFitToo() throws {
        let ground = try Ground()
        let target = String(repeating: "t", count: 4_000)
        for index in 0..<100 {
            try ground.link("\(index)" + String(repeating: "n", count: 250), to: target)
        }
        let pieces = try Self.pieces(ground.jail(), .sorted)
        #expect(pieces.flatMap { $0 }.count == 100)
        for piece in pieces {
            #expect(FileReply.entries(piece).encoded.count <= MessageSocket.maximumByteCount)
            #expect(piece.allSatisfy { $0.target == bytes(target)[...] })
        }
    }

    @Test(arguments: [.sorted, []] as [ListingOptions])
    func leaveOutWhatIsRemovedMeanwhile(options: ListingOptions) throws {
        let ground = try Ground()
        for index in 0..<2_000 { try ground.write("\(index)") }
        let jail = try ground.jail()
        try jail.beginListing(of: .root, options)
        let first = try jail.nextEntries().names
        let kept = Set((0..<2_000).map(String.init).filter { $0.hasSuffix("7") })
        for index in 0..<2_000 where !"\(index)".hasSuffix("7") {
            try jail.removeFile(path("/\(index)"))
        }
        var rest: [String] = []
        while case let piece = try jail.nextEntries(), !piece.isEmpty { rest += piece.names }
        #expect(Set(rest) == kept.subtracting(first))
        #expect(rest.count == Set(rest).count)
    }

    @Test(.timeLimit(.minutes(1)))
    func ofHiddenNamesAloneEnd() throws {
        let ground = try Ground()
        for index in 0..<3_000 { try ground.write(".hidden-\(index)") }
        #expect(try list("/", in: ground.jail(), []).isEmpty)
        #expect(try list("/", in: ground.jail(), .sorted).isEmpty)
    }
}
