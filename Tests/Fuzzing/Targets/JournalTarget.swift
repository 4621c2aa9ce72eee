import FTPProtocol
import Glibc
import LinuxSystem

@testable import FileSystem

/// Whatever an Agent writes down before it is killed, ending its upload changes one file at most,
/// and none outside of the root.
///
/// The input says what stands in the journal: numbers, then a directory and a name.
enum JournalTarget {
    static func run(_ input: [UInt8]) throws {
        var reader = InputReader(input)
        let flags = reader.byte()
        let scratch = try Scratch()
        var rules = UploadRules()
        rules.deletesFailed = flags & 1 != 0
        rules.isAtomic = flags & 2 != 0
        let jail = try Jail.opening(scratch.root, uploads: rules)
        let ledger = QuotaLedger(on: try SharedPage(mapping: SharedPage.make()))
        ledger.ensureCounted { (bytes: 40, files: 3) }
        jail.ledger = ledger
        let page = try SharedPage(mapping: SharedPage.make())
        var numbers = [Int64(reader.byte() % 6), Int64(reader.byte() % 5)]
        for _ in 0..<7 {
            numbers.append((0..<8).reduce(0) { sum, _ in sum << 8 | Int64(reader.byte()) })
        }
        let directory = reader.line()
        let name = reader.line()
        if flags & 4 != 0 {
            // The file that is meant, as the kernel numbers it.
            var status = stat()
            let path = String(decoding: directory + [0x2F] + name, as: UTF8.self)
            if unsafe stat("\(scratch.root)\(path)", &status) == 0 {
                numbers[2] = Int64(bitPattern: UInt64(status.st_dev))
                numbers[3] = Int64(bitPattern: UInt64(status.st_ino))
            }
        }
        let wrong = flags & 8 != 0 ? Int64(reader.byte()) << 31 : 0
        numbers.append((Int64(directory.count) << 32 | Int64(name.count)) ^ wrong)
        for (index, number) in numbers.enumerated() { page.add(number, to: index) }
        for (index, byte) in (directory + name).prefix(4_000).enumerated() {
            page.add(Int64(bitPattern: UInt64(byte) << UInt64(index % 8 * 8)), to: 10 + index / 8)
        }
        let before = scratch.snapshot()
        jail.endUpload(leftIn: UploadJournal(on: page))
        let after = scratch.snapshot()
        try claim(before.count - after.count <= 1, "more than one file went")
        try claim(after.count <= before.count, "there is a new file")
        try scratch.checkOutside()
    }
}
