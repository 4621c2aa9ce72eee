import FTPProtocol
import Glibc
import TestSupport
import Testing

@testable import FileSystem

@Suite("Rules for places")
struct PlaceRulesTests {
    private func rules(_ overrides: (String, String, Bool)...) throws -> PlaceRules {
        var rules = PlaceRules()
        for (directory, letters, isRecursive) in overrides {
            rules.overrides.append(
                PermissionOverride(
                    directory: try path(directory),
                    permissions: try #require(Permissions(letters: letters)),
                    isRecursive: isRecursive
                )
            )
        }
        return rules
    }

    private func letters(
        _ rules: PlaceRules,
        _ place: String,
        isDirectory: Bool = false
    ) throws -> String {
        try rules.permissions(at: path(place), isDirectory: isDirectory, otherwise: .all).letters
    }

    @Test func anOverrideHoldsInTheDirectoryAndForTheFilesInIt() throws {
        let rules = try rules(("/d", "el", false))
        #expect(try letters(rules, "/d", isDirectory: true) == "el")
        #expect(try letters(rules, "/d/file") == "el")
        #expect(try letters(rules, "/d/sub", isDirectory: true) == "elradfmwMT")
        #expect(try letters(rules, "/d/sub/file") == "elradfmwMT")
        #expect(try letters(rules, "/dd") == "elradfmwMT")
        #expect(try letters(rules, "/", isDirectory: true) == "elradfmwMT")
    }

    @Test func theMostSpecificDirectoryDecides() throws {
        let rules = try rules(
            ("/", "e", true),
            ("/a/b", "elr", true),
            ("/a", "el", false),
            ("/a/b/c", "", false)
        )
        #expect(try letters(rules, "/x/y") == "e")
        #expect(try letters(rules, "/a/file") == "el")
        #expect(try letters(rules, "/a/x", isDirectory: true) == "e")
        #expect(try letters(rules, "/a/b/x/y") == "elr")
        #expect(try letters(rules, "/a/b/c/file") == "")
        #expect(try letters(rules, "/a/b/c/d", isDirectory: true) == "elr")
        let twice = try self.rules(("/a", "e", true), ("/a", "l", true))
        #expect(try letters(twice, "/a/b") == "l")
    }

    @Test func patternsTakeLettersAway() throws {
        var rules = PlaceRules()
        rules.denied = try NamePatterns(bytes("*.key"), ignoresCase: true)
        rules.uploads = try NamePatterns(bytes("*.csv"), ignoresCase: false)
        rules.downloads = try NamePatterns(bytes("*.txt"), ignoresCase: false)
        #expect(try letters(rules, "/a.KEY") == "")
        #expect(try letters(rules, "/d.key/a.csv") == "")
        #expect(try letters(rules, "/a.csv") == "eladfmwMT")
        #expect(try letters(rules, "/a.txt") == "elrdfmMT")
        #expect(try letters(rules, "/d", isDirectory: true) == "elradfmwMT")
    }

    @Test func rulesForPlacesWithoutAWayToResolveThemAllowNothing() throws {
        var all = FileRules(permissions: .all)
        all.places = try rules(("/d", "el", false))
        let permitted = PermittedFileSystem(RecordingFileSystem(), rules: all)
        for operation in Operation.allCases {
            #expect(thrown { try operation.perform(on: permitted) } == FileError.notPermitted)
        }
    }
}

@Suite("Paths without links")
struct ResolvingTests {
    @Test func areWhatTheKernelWouldHaveFound() throws {
        let ground = try Ground()
        for name in ["a", "a/b", "c"] { try ground.makeDirectory(name) }
        for name in ["a/file", "a/b/file", "c/file"] { try ground.write(name) }
        for (name, target) in [
            ("to-a", "a"), ("a/to-c", "../c"), ("a/b/rooted", "/c/file"), ("up", "../../../a/b"),
            ("dots", "./a/.././c//file"), ("top", "/"), ("here", "."), ("a/b/above", ".."),
            ("chain", "to-a/to-c"), ("out", "/etc"), ("free", "a/new"), ("slashed", "a/"),
        ] {
            try ground.link(name, to: target)
        }
        let jail = try ground.jail()
        for text in [
            "/", "/a", "/a/file", "/to-a", "/to-a/file", "/to-a/to-c/file", "/a/b/rooted", "/up",
            "/up/file", "/dots", "/top", "/top/a/b", "/here/here/a", "/a/b/above/file", "/chain",
            "/chain/file", "/top/top/to-a/b/above/to-c/file", "/slashed/file",
        ] {
            let resolved = try jail.resolve(path(text), followsLastLink: true)
            let expected = try jail.facts(of: path(text), for: .showing)
            let found = try jail.facts(of: resolved.path, for: .renaming)
            #expect(found == expected, "\(text) became \(resolved.path.text)")
            #expect(resolved.kind == expected.kind, "\(text)")
            #expect(resolved.kind != .symbolicLink)
        }
        #expect(
            try jail.resolve(path("/chain/file"), followsLastLink: true).path == path("/c/file")
        )
        #expect(try jail.resolve(path("/up"), followsLastLink: false).path == path("/up"))
        #expect(
            try jail.resolve(path("/to-a/to-c"), followsLastLink: false)
                == ResolvedPath(path: path("/a/to-c"), kind: .symbolicLink)
        )
    }

    @Test func mayEndInAFreeName() throws {
        let ground = try Ground()
        try ground.makeDirectory("a")
        try ground.link("to-a", to: "a")
        try ground.link("dangling", to: "a/new")
        let jail = try ground.jail()
        for text in ["/a/new", "/to-a/new", "/dangling"] {
            #expect(
                try jail.resolve(path(text), followsLastLink: true)
                    == ResolvedPath(path: path("/a/new"), kind: nil)
            )
        }
        for text in ["/missing/new", "/to-a/missing/new", "/dangling/new"] {
            #expect(
                thrown { _ = try jail.resolve(path(text), followsLastLink: true) }
                    == FileError.notFound
            )
        }
    }

    @Test func doNotComeOfCirclesNorOfFilesOnTheWay() throws {
        let ground = try Ground()
        try ground.write("file")
        try ground.link("loop", to: "loop")
        try ground.link("grow", to: "grow/grow/grow/grow")
        try ground.link("to-file", to: "file")
        let jail = try ground.jail()
        for text in ["/loop", "/loop/x", "/grow", "/grow/x"] {
            #expect(
                thrown { _ = try jail.resolve(path(text), followsLastLink: true) }
                    == FileError.tooManyLinks
            )
        }
        for text in ["/file/x", "/to-file/x"] {
            #expect(
                thrown { _ = try jail.resolve(path(text), followsLastLink: true) }
                    == FileError.notDirectory
            )
        }
    }

    @Test func areAllThatAStrictJailOpens() throws {
        let ground = try Ground()
        try ground.makeDirectory("a")
        try ground.write("a/file", "content")
        try ground.link("to-a", to: "a")
        try ground.link("to-file", to: "a/file")
        let jail = try Jail.opening(ground.root, refusesLinks: true)
        for text in ["/to-a/file", "/to-file"] {
            #expect(thrown { _ = try jail.openForReading(path(text)) } == FileError.tooManyLinks)
            #expect(
                thrown { _ = try jail.openForWriting(path(text), .replace) }
                    == FileError.tooManyLinks
            )
            #expect(
                thrown { try jail.setMode(of: path(text), to: 0o600) } == FileError.tooManyLinks
            )
        }
        #expect(thrown { try jail.removeFile(path("/to-a/file")) } == FileError.tooManyLinks)
        #expect(thrown { try jail.enterDirectory(path("/to-a")) } == FileError.tooManyLinks)
        #expect(thrown { _ = try list("/to-a", in: jail) } == FileError.tooManyLinks)
        #expect(try readAll(jail.openForReading(path("/a/file"))) == "content")
        #expect(
            try list("/", in: jail, [.sorted, .followsLinks]).named("to-file")?.facts.size == 7
        )
    }
}
