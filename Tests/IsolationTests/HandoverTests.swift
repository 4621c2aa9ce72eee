import FileSystem
import Glibc
import LinuxSystem
import TestSupport
import Testing

@testable import Isolation

@Suite("Uploads that are given away")
struct HandoverTests {
    /// A desk, the Agent's end, and a file with one name in a directory of its own.
    private func with(
        uploader: uid_t = geteuid(),
        _ body: (HandoverDesk, borrowing MessageSocket, String) throws -> Void
    ) throws {
        let place = try Place()
        let path = place.file
        try #require(unsafe chmod(path, 0o644) == 0)
        let ends = try Ends.make()
        let desk = HandoverDesk(
            MessageSocket(owning: try ends.far.descriptor.duplicate()),
            owner: UploadOwner(user: geteuid(), mode: 0o7640),
            uploader: uploader
        )
        try body(desk, ends.near, path)
        withExtendedLifetime(place) {}
    }

    /// A directory with one file in it.
    private final class Place {
        let file: String
        private var directory: TemporaryDirectory?

        init() throws {
            let directory = try TemporaryDirectory.make(prefix: "portcullis-test-")
            file = try directory.write("file", bytes("content"))
            self.directory = consume directory
        }

        deinit {
            directory.take()?.remove()
        }
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    private func open(_ path: String, _ flags: CInt = O_RDONLY) throws -> OwnedDescriptor {
        let number = unsafe Glibc.open(path, flags | O_CLOEXEC)
        guard number >= 0 else { throw Missing() }
        return OwnedDescriptor(owning: number)
    }

    @Test func aNewFileGetsItsModeAndOwner() throws {
        try with { desk, agent, path in
            try agent.send(HandoverDesk.request, with: open(path))
            #expect(try desk.serve() == nil)
            #expect(try agent.receive()?.bytes == HandoverDesk.done)
            // Never a set-user-ID bit, whatever was configured.
            #expect(mode(path) == 0o640)
        }
    }

    @Test func somebodyElsesFileIsLeftAlone() throws {
        try with(uploader: geteuid() + 1) { desk, agent, path in
            try agent.send(HandoverDesk.request, with: open(path))
            #expect(try desk.serve() != nil)
            #expect(try agent.receive()?.bytes == HandoverDesk.refused)
            #expect(mode(path) == 0o644)
        }
    }

    @Test func onlyRegularFilesWithOneNameAreGivenAway() throws {
        try with { desk, agent, path in
            try #require(unsafe link(path, path + ".second") == 0)
            for file in [path, String(path.dropLast("/file".utf8.count)), "/dev/null"] {
                try agent.send(HandoverDesk.request, with: open(file))
                #expect(try desk.serve() != nil, "\(file)")
                #expect(try agent.receive()?.bytes == HandoverDesk.refused)
            }
            #expect(mode(path) == 0o644)
        }
    }

    @Test func refusalsInARowAreCounted() throws {
        try with { desk, agent, path in
            for _ in 1..<HandoverDesk.maximumRefusalCount {
                try agent.send(HandoverDesk.request, with: open("/dev/null"))
                #expect(try desk.serve() != nil)
                #expect(!desk.isOverdrawn)
            }
            try agent.send(HandoverDesk.request, with: open(path))
            #expect(try desk.serve() == nil)
            for _ in 0..<HandoverDesk.maximumRefusalCount {
                #expect(!desk.isOverdrawn)
                try agent.send(HandoverDesk.request, with: open("/dev/null"))
                #expect(try desk.serve() != nil)
            }
            #expect(desk.isOverdrawn)
        }
    }

    @Test(arguments: [[0], [1, 0], [2], [9, 9, 9]] as [[UInt8]])
    func nonsenseIsAViolation(message: [UInt8]) throws {
        try with { desk, agent, path in
            try agent.send(message, with: open(path))
            #expect(throws: MessageError.invalidValue) { try desk.serve() }
            #expect(mode(path) == 0o644)
        }
    }

    @Test func aRequestBringsAFile() throws {
        try with { desk, agent, _ in
            try agent.send(HandoverDesk.request)
            #expect(throws: MessageError.wrongDescriptor) { try desk.serve() }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func anAgentThatReadsNoAnswersIsNotWaitedFor() throws {
        try with { desk, agent, path in
            let file = try open(path)
            var hasEnded = false
            for _ in 0..<5_000 where !hasEnded {
                try agent.send(HandoverDesk.request, with: file)
                do throws(MessageError) {
                    _ = try desk.serve()
                } catch {
                    hasEnded = true
                }
            }
            #expect(hasEnded)
        }
    }
}
