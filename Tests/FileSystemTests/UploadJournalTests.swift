import FTPProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import FileSystem

@Suite("What is left of an upload whose process was killed")
struct UploadJournalTests {
    private func page() throws -> SharedPage { try SharedPage(mapping: SharedPage.make()) }

    private func rules(atomic: Bool, deletes: Bool = false) -> UploadRules {
        var rules = UploadRules()
        rules.isAtomic = atomic
        rules.deletesFailed = deletes
        rules.limits.bytes = 1_000
        return rules
    }

    private func names(_ ground: Ground) throws -> [String] {
        try list("/", in: ground.jail(), [.sorted, .hidden]).names
    }

    /// Begins an upload, forgets the jail that knows of it, and has another one end it.
    private func kill(
        _ ground: Ground,
        _ rules: UploadRules,
        _ disposition: WriteDisposition = .replace,
        empties: Bool = false
    ) throws -> [Int64] {
        let (journal, ledger) = try (UploadJournal(on: page()), QuotaLedger(on: page()))
        let jail = try ground.jail(uploads: rules)
        (jail.journal, jail.ledger) = (journal, ledger)
        let opened = try jail.openForWriting(path("/file"), disposition)
        if empties { try jail.emptyUpload() }
        _ = try jail.extendUpload(by: 4)
        try writeAll("part", to: opened)
        #expect(journal.isOpen)
        let other = try ground.jail(uploads: rules)
        other.ledger = ledger
        other.endUpload(leftIn: journal)
        #expect(!journal.isOpen)
        return [ledger.usage.bytes, ledger.usage.files]
    }

    @Test func aPartGoesAndTheOldFileStays() throws {
        let ground = try Ground()
        try ground.write("file", "old content")
        #expect(try kill(ground, rules(atomic: true)) == [11, 1])
        #expect(try names(ground) == ["file"])
        #expect(ground.content("file") == "old content")
    }

    @Test(arguments: [true, false])
    func aNewFileGoesIfThatIsAskedFor(deletes: Bool) throws {
        let ground = try Ground()
        let usage = try kill(ground, rules(atomic: false, deletes: deletes))
        #expect(usage == (deletes ? [0, 0] : [4, 1]))
        #expect(try names(ground) == (deletes ? [] : ["file"]))
    }

    @Test(arguments: [true, false])
    func aFileThatWasEmptiedGoesIfThatIsAskedFor(deletes: Bool) throws {
        let ground = try Ground()
        try ground.write("file", "old content")
        let usage = try kill(ground, rules(atomic: false, deletes: deletes), empties: true)
        #expect(usage == (deletes ? [0, 0] : [4, 1]))
        #expect(ground.content("file") == (deletes ? nil : "part"))
    }

    @Test func whatWasThereBeforeAnAppendStays() throws {
        let ground = try Ground()
        try ground.write("file", "old ")
        #expect(try kill(ground, rules(atomic: false, deletes: true), .append) == [8, 1])
        #expect(ground.content("file") == "old part")
    }

    @Test func aFileThatHasTheNameByNowIsSomebodyElses() throws {
        let ground = try Ground()
        let journal = try UploadJournal(on: page())
        let jail = try ground.jail(uploads: rules(atomic: false, deletes: true))
        jail.journal = journal
        try writeAll("part", to: jail.openForWriting(path("/file"), .replace))
        let other = try ground.jail(uploads: rules(atomic: false, deletes: true))
        try other.rename(path("/file"), to: path("/kept"))
        try ground.write("file", "another")
        other.endUpload(leftIn: journal)
        #expect(try names(ground) == ["file", "kept"])
    }

    @Test(arguments: [true, false])
    func anUploadThatEndedLeavesNothing(commits: Bool) throws {
        let ground = try Ground()
        let journal = try UploadJournal(on: page())
        var rules = rules(atomic: true)
        rules.limits.bytes = 0
        let jail = try ground.jail(uploads: rules)
        jail.journal = journal
        try writeAll("whole", to: jail.openForWriting(path("/file"), .replace))
        if commits { try jail.commitUpload() } else { jail.discardUpload() }
        #expect(!journal.isOpen && journal.left == nil)
    }

    @Test func aCountThatWasBrokenOffIsBegunAnew() throws {
        let ground = try Ground()
        try ground.write("file", "1234")
        let (journal, counted) = try (UploadJournal(on: page()), page())
        // The state of a ledger that is being counted.
        #expect(counted.exchange(0, for: 1, at: 0))
        journal.beginCounting()
        let jail = try ground.jail(uploads: rules(atomic: true))
        jail.ledger = QuotaLedger(on: counted)
        jail.endUpload(leftIn: journal)
        #expect(try jail.storageReport().usedBytes == 4)
    }

    @Test(arguments: ["../outside", "..", ".", "a/b", "a\0b", ""])
    func aNameThatIsNoneIsNotFollowed(name: String) throws {
        let journal = try UploadJournal(on: page())
        journal.begin(.part, in: .root, Array(name.utf8))
        #expect(journal.left == nil)
    }

    @Test(arguments: [
        -1, 0, 1 << 32, 1 << 32 | 0xFFFF_FFFF, 0x7FFF_FFFF << 32 | 1, 5_000 << 32 | 5_000, .max,
        .min,
    ])
    func lengthsThatDoNotFitAreRefused(lengths: Int64) throws {
        let shared = try page()
        let journal = UploadJournal(on: shared)
        journal.begin(.part, in: .root, Array("name".utf8))
        #expect(journal.left?.name == Array("name".utf8))
        #expect(shared.exchange(shared.load(9), for: lengths, at: 9))
        #expect(journal.left == nil)
    }
}
