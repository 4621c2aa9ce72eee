import FTPProtocol
import Glibc
import LinuxSystem
import TestSupport
import Testing

@testable import FileSystem

@Suite("Uploads from their first byte to their end")
struct UploadTests {
    private static let dispositions: [WriteDisposition] = [.replace, .append, .unique]

    private func rules(atomic: Bool = false, deletes: Bool = false) -> UploadRules {
        var rules = UploadRules()
        rules.isAtomic = atomic
        rules.deletesFailed = deletes
        rules.synchronizes = true
        return rules
    }

    /// Every name in the root, in order.
    private func names(_ ground: Ground) throws -> [String] {
        try list("/", in: ground.jail(), [.sorted, .hidden]).names
    }

    @Test func anAtomicUploadAppearsWhenItIsWhole() throws {
        let ground = try Ground()
        try ground.write("old", "old content")
        let jail = try ground.jail(uploads: rules(atomic: true))
        for name in ["old", "new"] {
            try writeAll("whole", to: jail.openForWriting(path("/\(name)"), .replace))
            #expect(ground.content(name) == (name == "old" ? "old content" : nil))
            try jail.commitUpload()
            #expect(ground.content(name) == "whole")
        }
        #expect(try names(ground) == ["new", "old"])
    }

    @Test(arguments: [true, false])
    func aFailedAtomicUploadLeavesTheOldFile(deletes: Bool) throws {
        let ground = try Ground()
        try ground.write("file", "old content")
        let jail = try ground.jail(uploads: rules(atomic: true, deletes: deletes))
        try writeAll("part", to: jail.openForWriting(path("/file"), .replace))
        jail.discardUpload()
        #expect(ground.content("file") == "old content")
        #expect(try names(ground) == ["file"])
    }

    @Test(arguments: dispositions, [true, false])
    func whatAFailedUploadMadeIsRemovedIfThatIsAskedFor(
        disposition: WriteDisposition,
        deletes: Bool
    ) throws {
        let ground = try Ground()
        let jail = try ground.jail(uploads: rules(deletes: deletes))
        try writeAll("part", to: jail.openForWriting(path("/file"), disposition))
        jail.discardUpload()
        #expect(ground.content("file") == (deletes ? nil : "part"))
    }

    @Test(arguments: dispositions, [true, false])
    func anUploadThatNeverBeganLeavesNothing(
        disposition: WriteDisposition,
        atomic: Bool
    ) throws {
        let ground = try Ground()
        let jail = try ground.jail(uploads: rules(atomic: atomic))
        _ = try jail.openForWriting(path("/file"), disposition)
        jail.discardUpload()
        #expect(try names(ground) == [])
    }

    @Test func anOldFileIsNeverRemoved() throws {
        let ground = try Ground()
        try ground.write("file", "old")
        let jail = try ground.jail(uploads: rules(deletes: true))
        try writeAll(" more", to: jail.openForWriting(path("/file"), .append))
        jail.discardUpload()
        #expect(ground.content("file") == "old more")
    }

    @Test func aNameThatIsSomebodyElsesByNowIsNotRemoved() throws {
        let ground = try Ground()
        let jail = try ground.jail(uploads: rules(deletes: true))
        try writeAll("part", to: jail.openForWriting(path("/file"), .replace))
        try ground.write("other", "other")
        try #require(unsafe rename("\(ground.root)/other", "\(ground.root)/file") == 0)
        jail.discardUpload()
        #expect(ground.content("file") == "other")
    }

    @Test func aFileThatWasDeletedMeanwhileIsNotAcknowledged() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        try writeAll("part", to: jail.openForWriting(path("/file"), .replace))
        try #require(unsafe unlink("\(ground.root)/file") == 0)
        #expect(thrown { try jail.commitUpload() } == FileError.notFound)
    }

    @Test func nothingIsCommittedTwice() throws {
        let ground = try Ground()
        let jail = try ground.jail(uploads: rules(deletes: true))
        #expect(thrown { try jail.commitUpload() } == FileError.impossible)
        try writeAll("whole", to: jail.openForWriting(path("/file"), .replace))
        try jail.commitUpload()
        #expect(thrown { try jail.commitUpload() } == FileError.impossible)
        jail.discardUpload()
        #expect(ground.content("file") == "whole")
    }

    @Test func twoUploadsNeverWriteToOneFile() throws {
        let ground = try Ground()
        var rules = UploadRules()
        rules.locksOutReaders = false
        let jail = try ground.jail(uploads: rules)
        let other = try ground.jail(uploads: rules)
        let file = try jail.openForWriting(path("/file"), .replace)
        for disposition in [.replace, .append, .resume(offset: 0)] as [WriteDisposition] {
            let error = thrown(FileError.self) {
                _ = try other.openForWriting(path("/file"), disposition)
            }
            #expect(error == .busy)
        }
        // What the Agent has keeps the lock, whatever the Session does to its own descriptor.
        try writeAll("first", to: file)
        #expect(thrown { _ = try other.openForWriting(path("/file"), .append) } == FileError.busy)
        try jail.commitUpload()
        try writeAll(" second", to: other.openForWriting(path("/file"), .append))
        try other.commitUpload()
        #expect(ground.content("file") == "first second")
    }

    @Test(arguments: [true, false])
    func readersAreLockedOutIfThatIsAskedFor(locks: Bool) throws {
        let ground = try Ground()
        try ground.write("file", "old")
        var rules = UploadRules()
        rules.locksOutReaders = locks
        let jail = try ground.jail(uploads: rules)
        let other = try ground.jail(uploads: rules)
        let upload = try jail.openForWriting(path("/file"), .append)
        let reading = thrown(FileError.self) { _ = try other.openForReading(path("/file")) }
        #expect(reading == (locks ? .busy : nil))
        _ = consume upload
        try jail.commitUpload()
        let first = try jail.openForReading(path("/file"))
        let second = try other.openForReading(path("/file"))
        let writing = thrown(FileError.self) {
            _ = try other.openForWriting(path("/file"), .replace)
        }
        #expect(writing == (locks ? .busy : nil))
        #expect(try readAll(first) == "old")
        #expect(try readAll(second) == "old")
    }

    @Test func anAtomicUploadAndReadersDoNotMeet() throws {
        let ground = try Ground()
        try ground.write("file", "old")
        let jail = try ground.jail(uploads: rules(atomic: true))
        let reader = try ground.jail().openForReading(path("/file"))
        try writeAll("new", to: jail.openForWriting(path("/file"), .replace))
        let late = try ground.jail().openForReading(path("/file"))
        try jail.commitUpload()
        #expect(try readAll(reader) == "old")
        #expect(try readAll(late) == "old")
        #expect(ground.content("file") == "new")
    }

    @Test func uniqueNamesStayUniqueWhenUploadsAreAtomic() throws {
        let ground = try Ground()
        let first = try ground.jail(uploads: rules(atomic: true))
        let second = try ground.jail(uploads: rules(atomic: true))
        let one = try first.openForWriting(path("/report"), .unique)
        let two = try second.openForWriting(path("/report"), .unique)
        let (oneName, twoName) = (one.path.text, two.path.text)
        #expect(oneName != twoName)
        try writeAll("1", to: one)
        try writeAll("2", to: two)
        // Somebody takes the second name meanwhile.
        try ground.write(String(twoName.dropFirst()), "taken")
        try first.commitUpload()
        #expect(thrown { try second.commitUpload() } == FileError.exists)
        second.discardUpload()
        #expect(ground.content(String(oneName.dropFirst())) == "1")
        #expect(ground.content(String(twoName.dropFirst())) == "taken")
    }

    @Test(arguments: [true, false])
    func aFileThatMustBeNewNeverReplacesAnother(atomic: Bool) throws {
        let ground = try Ground()
        try ground.write("old", "old")
        let jail = try ground.jail(uploads: rules(atomic: atomic, deletes: true))
        #expect(thrown { _ = try jail.openForWriting(path("/old"), .create) } == FileError.exists)
        try writeAll("new", to: jail.openForWriting(path("/new"), .create))
        if atomic {
            try ground.write("new", "somebody else's")
            #expect(thrown { try jail.commitUpload() } == FileError.exists)
            jail.discardUpload()
            #expect(ground.content("new") == "somebody else's")
        } else {
            try jail.commitUpload()
            #expect(ground.content("new") == "new")
        }
        #expect(try names(ground) == ["new", "old"])
    }

    @Test func anAtomicUploadFollowsALinkToAFile() throws {
        let ground = try Ground()
        try ground.makeDirectory("a")
        try ground.write("a/file", "old")
        try ground.link("one", to: "/two")
        try ground.link("two", to: "a/file")
        try ground.link("nowhere", to: "missing")
        try ground.link("circle", to: "circle")
        let jail = try ground.jail(uploads: rules(atomic: true))
        try writeAll("new", to: jail.openForWriting(path("/one"), .replace))
        try jail.commitUpload()
        #expect(ground.content("a/file") == "new")
        #expect(ground.status("one").map { $0.st_mode & S_IFMT } == S_IFLNK)
        #expect(
            thrown { _ = try jail.openForWriting(path("/nowhere"), .replace) }
                == FileError.notFound
        )
        #expect(
            thrown { _ = try jail.openForWriting(path("/circle"), .replace) }
                == FileError.tooManyLinks
        )
    }

    @Test func anAtomicUploadReplacesFilesOnly() throws {
        let ground = try Ground()
        try ground.makeDirectory("directory")
        try #require(unsafe mkfifo("\(ground.root)/pipe", 0o600) == 0)
        let jail = try ground.jail(uploads: rules(atomic: true))
        #expect(
            thrown { _ = try jail.openForWriting(path("/directory"), .replace) }
                == FileError.isDirectory
        )
        #expect(
            thrown { _ = try jail.openForWriting(path("/pipe"), .replace) }
                == FileError.notRegular
        )
        #expect(try names(ground) == ["directory", "pipe"])
    }

    @Test(.enabled(if: geteuid() != 0, "root may write to everything"))
    func aFileThatMayNotBeWrittenIsNotReplacedEither() throws {
        let ground = try Ground()
        try ground.write("file", "old")
        try #require(unsafe chmod("\(ground.root)/file", 0o400) == 0)
        let jail = try ground.jail(uploads: rules(atomic: true))
        #expect(
            thrown { _ = try jail.openForWriting(path("/file"), .replace) }
                == FileError.accessDenied
        )
    }

    @Test func partsDoNotExistForTheClient() throws {
        let ground = try Ground()
        let part = ".in.file.abcdefgh"
        try ground.write(part, "part")
        try ground.write(".in.file", "no part")
        let jail = try ground.jail(uploads: rules(atomic: true))
        #expect(try list("/", in: jail, [.sorted, .hidden]).names == [".in.file"])
        let hidden = try path("/\(part)")
        let attempts: [() throws -> Void] = [
            { _ = try jail.openForReading(hidden) },
            { _ = try jail.openForWriting(hidden, .replace) },
            { _ = try jail.openForWriting(hidden, .append) },
            { _ = try jail.openForWriting(hidden, .unique) },
            { _ = try jail.facts(of: hidden, for: .showing) },
            { _ = try jail.facts(of: hidden, for: .renaming) },
            { try jail.removeFile(hidden) },
            { try jail.makeDirectory(hidden) },
            { try jail.removeDirectory(hidden) },
            { try jail.rename(hidden, to: path("/mine")) },
            { try jail.rename(path("/.in.file"), to: hidden) },
            { try jail.setMode(of: hidden, to: 0o777) },
            { try jail.setModificationTime(of: hidden, to: 1) },
            { try jail.beginListing(of: hidden, []) },
        ]
        for (number, attempt) in attempts.enumerated() {
            #expect(thrown(by: attempt) == FileError.notFound, "attempt \(number)")
        }
        #expect(ground.content(part) == "part" && ground.content(".in.file") == "no part")
    }

    @Test func aServerWhoseSessionIsGoneEndsTheUploadAsFailed() throws {
        let ground = try Ground()
        let root = ground.root
        let rules = rules(atomic: true, deletes: true)
        let (remote, server) = try ServerThread.start { try Jail.opening(root, uploads: rules) }
        try writeAll("part", to: remote.openForWriting(path("/file"), .replace))
        _ = consume remote
        #expect(server.join() == nil)
        #expect(try names(ground) == [])
    }
}

@Suite("Names of parts")
struct PartNameTests {
    @Test(arguments: ["a", "name.csv", String(repeating: "n", count: 255), "\u{FC}"])
    func areRecognised(name: String) {
        let part = PartName.make(for: bytes(name))
        #expect(part.count <= 255)
        #expect(PartName.matches(part))
        #expect(part.starts(with: bytes(".in.")))
    }

    @Test func areCutBetweenCharacters() {
        for shift in 0..<4 {
            let name =
                String(repeating: "x", count: shift) + String(repeating: "\u{1F600}", count: 63)
            let part = PartName.make(for: bytes(name))
            #expect(part.count <= 255 && part.count > 245)
            #expect(String(validating: part, as: UTF8.self) != nil)
            #expect(PartName.matches(part))
        }
    }

    @Test(arguments: [
        "", ".in.", ".in", "in.file.abcdefgh", ".in.file.abcdefg", ".in.file.abcdefg1",
        ".in.file.ABCDEFGH", ".in.file", ".in.fileabcdefgh", "file.abcdefgh",
    ])
    func areNothingElse(name: String) {
        #expect(!PartName.matches(bytes(name)))
    }
}
