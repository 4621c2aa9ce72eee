import FTPProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import FileSystem

@Suite("What a user has stored")
struct QuotaTests {
    private func limits(
        fileSize: Int64 = 0,
        freeSpace: Int64 = 0,
        bytes: Int64 = 0,
        files: Int64 = 0
    ) -> StorageLimits {
        var limits = StorageLimits()
        limits.fileSize = fileSize
        limits.freeSpace = freeSpace
        limits.bytes = bytes
        limits.files = files
        return limits
    }

    private func jail(
        _ ground: Ground,
        _ limits: StorageLimits,
        on page: SharedPage? = nil
    ) throws -> Jail {
        var rules = UploadRules()
        rules.limits = limits
        rules.deletesFailed = true
        let jail = try ground.jail(uploads: rules)
        jail.ledger = QuotaLedger(on: try page ?? SharedPage(mapping: SharedPage.make()))
        return jail
    }

    private func used(_ jail: Jail) throws -> [Int64] {
        let report = try jail.storageReport()
        return [report.usedBytes, report.usedFiles]
    }

    @Test func regularFilesBelowTheRootAreCounted() throws {
        let ground = try Ground()
        try ground.makeDirectory("a")
        try ground.makeDirectory("a/b")
        try ground.write("one", "1")
        try ground.write("a/.hidden", "22")
        try ground.write("a/b/three", "333")
        try ground.link("loop", to: "/")
        try ground.link("link", to: "one")
        #expect(try used(jail(ground, limits(bytes: 100))) == [6, 3])
        // Without a quota nobody counts.
        #expect(try used(jail(ground, limits(fileSize: 100))) == [0, 0])
    }

    @Test func bytesAreGivenUpToTheLimit() throws {
        let ground = try Ground()
        try ground.write("old", "1234")
        let jail = try jail(ground, limits(bytes: 10))
        let file = try jail.openForWriting(path("/new"), .replace)
        let isMetered = file.isMetered
        #expect(isMetered)
        #expect(try jail.extendUpload(by: 100) == 6)
        #expect(thrown { _ = try jail.extendUpload(by: 1) } == FileError.overQuota)
        #expect(try used(jail) == [10, 2])
        try writeAll("12", to: file)
        try jail.commitUpload()
        #expect(try used(jail) == [6, 2])
    }

    @Test func aSessionThatWritesMoreThanItWasGivenIsNotAcknowledged() throws {
        let ground = try Ground()
        let jail = try jail(ground, limits(bytes: 10))
        let file = try jail.openForWriting(path("/new"), .replace)
        #expect(try jail.extendUpload(by: 1) == 10)
        try writeAll("0123456789a", to: file)
        #expect(thrown { try jail.commitUpload() } == FileError.overQuota)
        jail.discardUpload()
        #expect(try used(jail) == [0, 0])
        #expect(ground.content("new") == nil)
    }

    @Test func aFileNeverGrowsBeyondItsLimit() throws {
        let ground = try Ground()
        try ground.write("file", "12345678")
        let jail = try jail(ground, limits(fileSize: 10))
        _ = try jail.openForWriting(path("/file"), .append)
        #expect(try jail.extendUpload(by: 5) == 2)
        #expect(thrown { _ = try jail.extendUpload(by: 1) } == FileError.tooLarge)
        _ = try jail.openForWriting(path("/file"), .resume(offset: 3))
        #expect(try jail.extendUpload(by: 1) == 7)
        _ = try jail.openForWriting(path("/file"), .replace)
        #expect(try jail.extendUpload(by: 1) == 10)
    }

    @Test func onlyWhatGoesBeyondTheOldFileTakesRoom() throws {
        let ground = try Ground()
        try ground.write("file", "12345678")
        let jail = try jail(ground, limits(bytes: 10))
        let file = try jail.openForWriting(path("/file"), .replace)
        #expect(try jail.extendUpload(by: 9) == 10)
        #expect(thrown { _ = try jail.extendUpload(by: 1) } == FileError.overQuota)
        _ = consume file
        jail.discardUpload()
        #expect(try used(jail) == [8, 1])
    }

    @Test(arguments: [0, -1, .min] as [Int64])
    func nobodyAsksForNothing(count: Int64) throws {
        let ground = try Ground()
        let jail = try jail(ground, limits(bytes: 10))
        #expect(thrown { _ = try jail.extendUpload(by: 1) } == FileError.impossible)
        _ = try jail.openForWriting(path("/file"), .replace)
        #expect(thrown { _ = try jail.extendUpload(by: count) } == FileError.impossible)
        #expect(throws: MessageError.invalidValue) {
            try FileRequest(decoding: FileRequest.extendUpload(count).encoded)
        }
    }

    @Test func filesAreCountedBeforeTheyAreMade() throws {
        let ground = try Ground()
        try ground.write("old")
        let jail = try jail(ground, limits(files: 1))
        #expect(
            thrown { _ = try jail.openForWriting(path("/new"), .replace) }
                == FileError.overFileQuota
        )
        #expect(ground.status("new") == nil)
        _ = try jail.openForWriting(path("/old"), .replace)
        try jail.commitUpload()
        try jail.removeFile(path("/old"))
        _ = try jail.openForWriting(path("/new"), .replace)
        try jail.commitUpload()
        #expect(try used(jail) == [0, 1])
    }

    @Test func agentsShareThePage() throws {
        let ground = try Ground()
        let page = try SharedPage(mapping: SharedPage.make())
        let one = try jail(ground, limits(bytes: 10), on: page)
        let two = try jail(ground, limits(bytes: 10), on: page)
        _ = try one.openForWriting(path("/a"), .replace)
        #expect(try one.extendUpload(by: 1) == 10)
        _ = try two.openForWriting(path("/b"), .replace)
        #expect(thrown { _ = try two.extendUpload(by: 1) } == FileError.overQuota)
        one.discardUpload()
        #expect(try two.extendUpload(by: 1) == 10)
    }

    @Test func aFileWithTwoNamesThatIsRenamedOntoItselfStays() throws {
        let ground = try Ground()
        try ground.write("a", "1234")
        let jail = try jail(ground, limits(bytes: 10))
        #expect(try used(jail) == [4, 1])
        try jail.rename(path("/a"), to: path("/a"))
        #expect(try used(jail) == [4, 1])
        try jail.rename(path("/a"), to: path("/b"))
        #expect(try used(jail) == [4, 1])
    }

    @Test func noNumbersOnThePageTrap() throws {
        for number in [Int64.min, -1, .max, .max / 2] {
            let page = try SharedPage(mapping: SharedPage.make())
            #expect(page.exchange(0, for: 2, at: 0))
            #expect(page.exchange(0, for: number, at: 1))
            #expect(page.exchange(0, for: number, at: 2))
            let ledger = QuotaLedger(on: page)
            ledger.adjust(bytes: .max, files: .min)
            ledger.adjust(bytes: .min, files: .max)
            _ = ledger.reserve(bytes: .max, limit: .max)
            _ = ledger.reserve(bytes: -5, limit: 10)
            _ = ledger.reserveFile(limit: .max)
            #expect(ledger.usage.bytes >= 0 && ledger.usage.files >= 0)
        }
    }
}
