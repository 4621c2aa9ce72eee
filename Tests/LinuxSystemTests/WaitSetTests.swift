import Glibc
import Testing

@testable import LinuxSystem

@Suite("Waiting for many descriptors")
struct WaitSetTests {
    @Test func thoseThatCanBeReadAreReported() throws {
        let set = try WaitSet()
        let one = try StreamPair()
        let other = try StreamPair()
        try set.add(one.first.number, as: 7)
        try set.add(other.first.number, as: 9)
        #expect(set.count == 2 && set.ready().isEmpty)
        var entries = [set.pollEntry]
        #expect(try poll(&entries, until: .passed) == 0)
        _ = unsafe [1 as UInt8].withUnsafeBytes { unsafe other.second.send($0) }
        #expect(try poll(&entries, until: .passed) == 1)
        #expect(entries[0].isReadable && set.ready() == [9])
    }

    @Test func anEndIsReportedToo() throws {
        let set = try WaitSet()
        let pair = try StreamPair()
        try set.add(pair.first.number, as: 7)
        pair.second.endWriting()
        #expect(set.ready() == [7])
    }

    @Test func whatWasRemovedIsNotReportedThoughSomebodyElseHasIt() throws {
        let set = try WaitSet()
        let pair = try StreamPair()
        let number = pair.first.number
        try set.add(number, as: 7)
        let copy = try pair.first.duplicate()
        set.remove(number)
        _ = unsafe [1 as UInt8].withUnsafeBytes { unsafe pair.second.send($0) }
        #expect(set.count == 0 && set.ready().isEmpty)
        // Nor is it counted twice.
        set.remove(number)
        #expect(set.count == 0)
        withExtendedLifetime(copy.number) {}
    }

    @Test func manyAreReportedInPieces() throws {
        let set = try WaitSet()
        let pair = try StreamPair()
        pair.second.endWriting()
        let numbers = (0..<200).map { _ in dup(pair.first.number) }
        defer { for number in numbers { close(number) } }
        for (key, number) in numbers.enumerated() { try set.add(number, as: CInt(key)) }
        var seen: Set<CInt> = []
        while seen.count < 200 {
            let ready = set.ready()
            guard !ready.isEmpty else { break }
            for key in ready { set.remove(numbers[Int(key)]) }
            seen.formUnion(ready)
        }
        #expect(seen.count == 200 && set.count == 0)
    }

    @Test func aFileThatAlwaysCanBeReadIsRefused() throws {
        let set = try WaitSet()
        let file = OwnedDescriptor(owning: unsafe open("/etc/passwd", O_RDONLY | O_CLOEXEC))
        #expect(throws: SystemError.self) { try set.add(file.number, as: 1) }
        #expect(set.count == 0)
    }
}
