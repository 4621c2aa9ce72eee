import FTPProtocol
import LinuxSystem
import Synchronization
import TestSupport
import Testing

@testable import FileSystem

@Suite("A file system in another process", .timeLimit(.minutes(1)))
struct RemoteFileSystemTests {
    @Test func everyOperationArrivesAsItWasAsked() throws {
        let notes = Mutex<[String]>([])
        let (remote, server) = try ServerThread.start {
            RecordingFileSystem { note in notes.withLock { $0.append(note) } }
        }
        for operation in Operation.allCases { try operation.perform(on: remote) }
        _ = consume remote
        #expect(server.join() == nil)
        #expect(notes.withLock { $0 } == Operation.allCases.map(\.note) + ["discard"])
    }

    @Test func filesAreReadAndWrittenThroughTheirDescriptors() throws {
        let ground = try Ground()
        let root = ground.root
        let (remote, server) = try ServerThread.start { try Jail.opening(root) }
        try writeAll("0123", to: remote.openForWriting(path("/file"), .replace))
        try writeAll("45", to: remote.openForWriting(path("/file"), .append))
        try writeAll("ab", to: remote.openForWriting(path("/file"), .resume(offset: 1)))
        try remote.commitUpload()
        let file = try remote.openForReading(path("/file"))
        let size = file.facts.size
        #expect(size == 6)
        #expect(try readAll(file) == "0ab345")
        let unique = try remote.openForWriting(path("/file"), .unique)
        let name = unique.path.text
        #expect(name.hasPrefix("/file."))
        #expect(ground.status(String(name.dropFirst())) != nil)
        _ = consume remote
        #expect(server.join() == nil)
    }

    @Test func changesAreMade() throws {
        let ground = try Ground()
        let root = ground.root
        let (remote, server) = try ServerThread.start { try Jail.opening(root) }
        try remote.makeDirectory(path("/a"))
        try remote.enterDirectory(path("/a"))
        try ground.write("a/file", "12")
        try remote.setMode(of: path("/a/file"), to: 0o640)
        try remote.setModificationTime(of: path("/a/file"), to: 1_000_000)
        let facts = try remote.facts(of: path("/a/file"), for: .showing)
        #expect(facts.mode == 0o640 && facts.modified == 1_000_000 && facts.size == 2)
        try remote.rename(path("/a/file"), to: path("/b"))
        #expect(ground.content("b") == "12")
        try remote.removeFile(path("/b"))
        try remote.removeDirectory(path("/a"))
        #expect(try list("/", in: remote).isEmpty)
        _ = consume remote
        #expect(server.join() == nil)
    }

    @Test func errorsOfTheOtherSideArrive() throws {
        let ground = try Ground()
        let root = ground.root
        let (remote, server) = try ServerThread.start { try Jail.opening(root) }
        try ground.makeDirectory("a")
        #expect(thrown { _ = try remote.openForReading(path("/x")) } == FileError.notFound)
        #expect(thrown { _ = try remote.openForReading(path("/a")) } == FileError.isDirectory)
        #expect(thrown { try remote.makeDirectory(path("/a")) } == FileError.exists)
        #expect(thrown { _ = try list("/x", in: remote) } == FileError.notFound)
        // The channel is still good.
        try remote.enterDirectory(path("/a"))
        _ = consume remote
        #expect(server.join() == nil)
    }

    @Test func aLargeDirectoryIsListedWhole() throws {
        let ground = try Ground()
        let expected = (0..<3_000).map { "name-\($0)" }
        for name in expected { try ground.write(name) }
        let root = ground.root
        let (remote, server) = try ServerThread.start { try Jail.opening(root) }
        #expect(try list("/", in: remote).names == expected.sorted())
        _ = consume remote
        #expect(server.join() == nil)
    }
}

@Suite("What a Session makes of a broken answer")
struct BrokenAnswerTests {
    /// The other side, which has given its answers and will say no more.
    private final class Silent {
        let remote: RemoteFileSystem
        private let far: MessageSocket

        init(answering answers: [[UInt8]]) throws {
            let ends = try Ends.make()
            for answer in answers { try ends.far.send(answer) }
            ends.far.descriptor.endWriting()
            far = MessageSocket(owning: try ends.far.descriptor.duplicate())
            remote = RemoteFileSystem(ends.takeNear())
        }
    }

    @Test(arguments: Operation.allCases)
    func whenTheOtherSideFallsSilentNothingIsAvailable(operation: Operation) throws {
        let silent = try Silent(answering: [])
        #expect(thrown { try operation.perform(on: silent.remote) } == FileError.unavailable)
        #expect(thrown { _ = try silent.remote.nextEntries() } == FileError.unavailable)
    }

    @Test(arguments: Operation.allCases)
    func anAnswerToAnotherQuestionIsNone(operation: Operation) throws {
        let opened = FileReply.opened(sampleFacts, try path("/a"))
        let replies: [FileReply] = [
            .done, .facts(sampleFacts), opened, .entries(EntryPiece()), .byteCount(7),
        ]
        for reply in replies {
            let silent = try Silent(answering: [reply.encoded])
            let error = thrown(FileError.self) { try operation.perform(on: silent.remote) }
            let isRight: Bool =
                switch operation {
                case .showFacts, .factsForRenaming, .list, .listItself:
                    reply == .facts(sampleFacts)
                case .availableByteCount: reply == .byteCount(7)
                // An opened file takes a descriptor, and none comes here.
                case .openForReading, .replace, .append, .resume, .unique: false
                default: reply == .done
                }
            #expect(error == (isRight ? nil : .unavailable), "\(reply)")
        }
    }

    @Test func whenTheOtherSideIsGoneEvenAskingFails() throws {
        let remote = RemoteFileSystem(try MessageSocket.makePair().takeFirst())
        #expect(thrown { try remote.makeDirectory(path("/a")) } == FileError.unavailable)
    }

    @Test(arguments: [[99], [1, 0], [2, 0], [3, 1], [5, 1]] as [[UInt8]])
    func nonsenseIsNoAnswer(answer: [UInt8]) throws {
        let silent = try Silent(answering: [answer])
        #expect(thrown { try silent.remote.makeDirectory(path("/a")) } == FileError.unavailable)
    }

    @Test func everyErrorIsHandedOn() throws {
        for error in (UInt8.min ... .max).compactMap(FileError.init(rawValue:)) {
            let answer = FileReply.failed(error).encoded
            let silent = try Silent(answering: [answer, answer])
            #expect(thrown { try silent.remote.makeDirectory(path("/a")) } == error)
            #expect(thrown { _ = try silent.remote.openForReading(path("/a")) } == error)
        }
    }
}
