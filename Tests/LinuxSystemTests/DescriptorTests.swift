import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@Suite("A descriptor has one owner")
struct DescriptorTests {
    private func null() throws -> OwnedDescriptor {
        let number = unsafe Glibc.open("/dev/null", O_RDWR | O_CLOEXEC)
        try #require(number >= 0)
        return OwnedDescriptor(owning: number)
    }

    @Test func droppingTheOwnerClosesIt() throws {
        let number = moved(try null(), to: 610)
        do {
            let owner = OwnedDescriptor(owning: number)
            #expect(isOpen(owner.number))
        }
        #expect(!isOpen(number))
    }

    @Test func closingItEndsIt() throws {
        let number = moved(try null(), to: 620)
        try OwnedDescriptor(owning: number).close()
        #expect(!isOpen(number))
    }

    @Test func aNewOwnerKeepsItOpen() throws {
        let number = moved(try null(), to: 630)
        let holder: Holder
        do {
            let owner = OwnedDescriptor(owning: number)
            holder = Holder(owner)
        }
        #expect(isOpen(number))
        _ = holder.take()
        #expect(!isOpen(number))
    }

    @Test func aDuplicateOutlivesTheOriginal() throws {
        let original = try null()
        let copy = try original.duplicate()
        #expect(copy.number != original.number)
        #expect(fcntl(copy.number, F_GETFD) & FD_CLOEXEC != 0)
        try original.close()
        #expect(isOpen(copy.number))
    }

    @Test func whatIsWrittenCanBeReadFromAnyOffset() throws {
        let directory = try Place()
        let number = unsafe Glibc.open(
            "\(directory.path)/file",
            O_RDWR | O_CREAT | O_CLOEXEC,
            0o600
        )
        let file = OwnedDescriptor(owning: number)
        try write(Array("0123456789".utf8), to: file)
        try file.seek(to: 4)
        #expect(try read(6, from: file) == Array("456789".utf8))
        #expect(try read(1, from: file) == [])
        try file.truncate()
        try file.seek(to: 0)
        #expect(try read(1, from: file) == [])
        try file.close()
    }

    @Test func aFullDeviceIsReported() throws {
        let number = unsafe Glibc.open("/dev/full", O_WRONLY | O_CLOEXEC)
        let file = OwnedDescriptor(owning: number)
        let error = thrown(SystemError.self) { try write([1], to: file) }
        #expect(error == SystemError("write", .noSpace))
    }

    @Test func aWrongNumberStopsTheProcess() async {
        await #expect(processExitsWith: .failure) {
            _ = SystemError("read", .badFileDescriptor)
        }
        await #expect(processExitsWith: .failure) {
            _ = SystemError("read", .badAddress)
        }
        await #expect(processExitsWith: .failure) {
            _ = OwnedDescriptor(owning: -1)
        }
    }

    @Test func readingFromAForeignNumberStopsTheProcess() async {
        await #expect(processExitsWith: .failure) {
            let owner = OwnedDescriptor(owning: 640)
            try owner.seek(to: 0)
        }
    }

    private func write(_ bytes: [UInt8], to file: borrowing OwnedDescriptor) throws {
        // Only a copy of the owner's number enters the closure, the owner cannot.
        let copy = try file.duplicate()
        let holder = Holder(copy)
        let error = unsafe bytes.withUnsafeBytes { buffer -> SystemError? in
            thrown { try unsafe holder.descriptor?.writeAll(buffer) }
        }
        if let error { throw error }
    }

    private func read(_ count: Int, from file: borrowing OwnedDescriptor) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let holder = Holder(try file.duplicate())
        let got = try unsafe bytes.withUnsafeMutableBytes {
            try unsafe holder.descriptor?.read(into: $0) ?? 0
        }
        return [UInt8](bytes.prefix(got))
    }
}

@Suite("Small files that are read whole")
struct ReadFileTests {
    @Test(arguments: [0, 1, 9, 10])
    func upToTheLimit(count: Int) throws {
        let directory = try Place()
        let content = [UInt8](repeating: 65, count: count)
        let path = try directory.write("file", content)
        #expect(try readFile(at: path, maximumByteCount: 10) == content)
    }

    @Test func aLongerFileIsRefused() throws {
        let directory = try Place()
        let path = try directory.write("file", [UInt8](repeating: 65, count: 11))
        #expect(throws: SystemError("read", .fileTooLarge)) {
            try readFile(at: path, maximumByteCount: 10)
        }
    }

    @Test func aMissingFileIsRefused() {
        #expect(throws: SystemError("open", .noSuchFileOrDirectory)) {
            try readFile(at: "/nonexistent/file", maximumByteCount: 10)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aPipeThatNobodyWritesToIsNotWaitedFor() throws {
        let directory = try Place()
        let path = "\(directory.path)/pipe"
        try #require(unsafe mkfifo(path, 0o600) == 0)
        #expect(try readFile(at: path, maximumByteCount: 10) == [])
    }
}
