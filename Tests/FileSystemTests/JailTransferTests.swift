import FTPProtocol
import FileSystem
import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite("Files that are opened for transfers")
struct JailTransferTests {
    @Test func aFileIsReadFromItsStart() throws {
        let ground = try Ground()
        try ground.write("file", "0123456789")
        let file = try ground.jail().openForReading(path("/file"))
        let facts = file.facts
        let name = file.path.text
        #expect(facts.size == 10 && facts.kind == .regular)
        #expect(name == "/file")
        #expect(try readAll(file) == "0123456789")
    }

    @Test func aDirectoryIsNotOpened() throws {
        let ground = try Ground()
        try ground.makeDirectory("directory")
        let jail = try ground.jail()
        let directory = try path("/directory")
        #expect(thrown { _ = try jail.openForReading(directory) } == FileError.isDirectory)
        #expect(thrown { _ = try jail.openForReading(.root) } == FileError.isDirectory)
        for disposition in [.replace, .append, .resume(offset: 0)] as [WriteDisposition] {
            let error = thrown(FileError.self) {
                _ = try jail.openForWriting(directory, disposition)
            }
            #expect(error == .isDirectory)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aPipeIsNotOpenedAndNotWaitedFor() throws {
        let ground = try Ground()
        try #require(unsafe mkfifo("\(ground.root)/pipe", 0o600) == 0)
        let jail = try ground.jail()
        let pipe = try path("/pipe")
        #expect(thrown { _ = try jail.openForReading(pipe) } == FileError.notRegular)
        #expect(thrown { _ = try jail.openForWriting(pipe, .replace) } == FileError.notRegular)
        // The same when somebody is at the other end.
        let reader = unsafe Glibc.open("\(ground.root)/pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { _ = close(reader) }
        #expect(thrown { _ = try jail.openForWriting(pipe, .append) } == FileError.notRegular)
    }

    @Test(arguments: ["/null", "/zero", "/full", "/tty"])
    func aDeviceIsNotOpened(name: String) throws {
        let jail = try Jail.opening("/dev")
        let device = try path(name)
        #expect(thrown { _ = try jail.openForReading(device) } == FileError.notRegular)
        #expect(thrown { _ = try jail.openForWriting(device, .replace) } == FileError.notRegular)
    }

    @Test func theOldContentStaysUntilTheCallerEmptiesIt() throws {
        let ground = try Ground()
        try ground.write("file", "0123456789")
        let file = try ground.jail().openForWriting(path("/file"), .replace)
        let size = file.facts.size
        #expect(size == 10)
        #expect(ground.content("file") == "0123456789")
        try writeAll("ab", to: file)
        #expect(ground.content("file") == "ab23456789")
    }

    @Test func whatIsAppendedGoesToTheEnd() throws {
        let ground = try Ground()
        try ground.write("file", "0123")
        let jail = try ground.jail()
        let file = try jail.openForWriting(path("/file"), .append)
        // Also behind what somebody else appended in the meantime.
        let number = unsafe Glibc.open("\(ground.root)/file", O_WRONLY | O_APPEND | O_CLOEXEC)
        try #require(number >= 0)
        #expect(unsafe Glibc.write(number, "45", 2) == 2)
        _ = close(number)
        try writeAll("67", to: file)
        #expect(ground.content("file") == "01234567")
    }

    @Test(arguments: [(0, "ab23"), (2, "01ab"), (3, "012ab"), (4, "0123ab")] as [(Int64, String)])
    func anUploadIsResumedWhereTheClientSays(offset: Int64, expected: String) throws {
        let ground = try Ground()
        try ground.write("file", "0123")
        let jail = try ground.jail()
        try writeAll("ab", to: jail.openForWriting(path("/file"), .resume(offset: offset)))
        #expect(ground.content("file") == expected)
    }

    @Test(arguments: [5, 6, .max, -1] as [Int64])
    func anUploadIsNotResumedBehindTheEnd(offset: Int64) throws {
        let ground = try Ground()
        try ground.write("file", "0123")
        let jail = try ground.jail()
        let error = thrown(FileError.self) {
            _ = try jail.openForWriting(path("/file"), .resume(offset: offset))
        }
        #expect(error == .beyondEnd)
        #expect(ground.content("file") == "0123")
    }

    @Test func aRestartThatIsRefusedLeavesNoNewFile() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        let error = thrown(FileError.self) {
            _ = try jail.openForWriting(path("/new"), .resume(offset: 5))
        }
        #expect(error == .beyondEnd)
        #expect(ground.status("new") == nil)
    }

    @Test(arguments: [.replace, .append, .unique, .resume(offset: 0)] as [WriteDisposition])
    func aNewFileHasTheModeThatWasAskedFor(disposition: WriteDisposition) throws {
        let ground = try Ground()
        let jail = try ground.jail(openMode: 0o600)
        try writeAll("text", to: jail.openForWriting(path("/new"), disposition))
        #expect(ground.mode("new") == 0o600)
        #expect(ground.content("new") == "text")
    }

    @Test func aUniqueNameNeverOverwrites() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        var names: Set<String> = []
        for round in 0..<5 {
            let file = try jail.openForWriting(path("/report"), .unique)
            names.insert(file.path.text)
            try writeAll("\(round)", to: file)
        }
        #expect(names.count == 5 && names.contains("/report"))
        #expect(names.allSatisfy { $0 == "/report" || $0.hasPrefix("/report.") })
        let contents = Set(names.compactMap { ground.content(String($0.dropFirst())) })
        #expect(contents == ["0", "1", "2", "3", "4"])
    }

    @Test func aUniqueNameDoesNotFollowALink() throws {
        let ground = try Ground()
        try ground.link("report", to: "elsewhere")
        let file = try ground.jail().openForWriting(path("/report"), .unique)
        let name = file.path.text
        #expect(name != "/report")
        #expect(ground.status("elsewhere") == nil)
    }

    @Test func aUniqueNameThatWouldBecomeTooLongIsRefused() throws {
        let ground = try Ground()
        let long = String(repeating: "n", count: 255)
        try ground.write(long, "old")
        let jail = try ground.jail()
        let error = thrown(FileError.self) {
            _ = try jail.openForWriting(path("/\(long)"), .unique)
        }
        #expect(error == .nameTooLong)
        #expect(ground.content(long) == "old")
    }

    @Test func theRootIsNoNameForAnUpload() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        for disposition in [.replace, .append, .unique] as [WriteDisposition] {
            #expect(thrown { _ = try jail.openForWriting(.root, disposition) } != nil as FileError?)
        }
        #expect(try list("/", in: jail, .hidden).isEmpty)
    }

    @Test func aMissingDirectoryIsReported() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        let file = try path("/missing/file")
        #expect(thrown { _ = try jail.openForReading(file) } == FileError.notFound)
        #expect(thrown { _ = try jail.openForWriting(file, .replace) } == FileError.notFound)
        #expect(thrown { _ = try jail.openForWriting(file, .unique) } == FileError.notFound)
    }

    @Test func anOpenFileIsNotPassedOnByAccident() throws {
        let ground = try Ground()
        try ground.write("file")
        let file = try ground.jail().openForReading(path("/file"))
        let flags = fcntl(file.descriptor.number, F_GETFD)
        #expect(flags & FD_CLOEXEC != 0)
    }
}
