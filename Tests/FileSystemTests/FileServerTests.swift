import FTPProtocol
import Glibc
import LinuxSystem
import TestSupport
import Testing

@testable import FileSystem

@Suite("A process that opens files and its hostile Session")
struct FileServerTests {
    /// Sends `messages`, has them served, and gives what came back and how the server ended.
    private func serve(
        _ messages: [[UInt8]],
        with fileSystem: any FileSystem
    ) throws -> (replies: [FileReply], end: MessageError?) {
        let ends = try Ends.make()
        for message in messages { try ends.near.send(message) }
        ends.near.descriptor.endWriting()
        let server = FileServer(
            MessageSocket(owning: try ends.far.descriptor.duplicate()),
            serving: fileSystem
        )
        let end = thrown(MessageError.self) { try server.run() }
        return (try replies(ends), end)
    }

    private func replies(_ ends: borrowing Ends) throws -> [FileReply] {
        var replies: [FileReply] = []
        // Closing the far end with requests in it would take the answers away as well.
        ends.far.descriptor.endWriting()
        while let message = try ends.near.receive() {
            replies.append(try FileReply(decoding: message.bytes))
        }
        return replies
    }

    @Test func requestsAreAnsweredUntilTheSessionIsGone() throws {
        let base = RecordingFileSystem()
        let requests: [FileRequest] = [
            .makeDirectory(try path("/a")), .facts(try path("/a"), .showing), .nextEntries,
            .openForReading(try path("/a")),
        ]
        let (replies, end) = try serve(requests.map(\.encoded), with: base)
        #expect(end == nil)
        #expect(
            replies == [
                .done, .facts(sampleFacts), .entries(EntryPiece()),
                .opened(sampleFacts, try path("/a")),
            ]
        )
        #expect(base.notes == ["make /a", "facts /a showing", "next", "read /a", "discard"])
    }

    @Test func aFileThatNobodyTakesIsTheLast() throws {
        let base = RecordingFileSystem()
        let open = FileRequest.openForReading(try path("/a")).encoded
        let (replies, end) = try serve([open, open], with: base)
        #expect(end == .outOfTurn)
        #expect(replies == [.opened(sampleFacts, try path("/a"))])
        #expect(base.notes == ["read /a", "discard"])
    }

    @Test func entriesAreLookedUpBeforeTheyAreAskedFor() throws {
        let base = RecordingFileSystem()
        let pieces = ["a", "b"].map {
            EntryPiece([DirectoryEntry(name: bytes($0), facts: sampleFacts)])
        }
        base.pieces = pieces
        let other = FileRequest.makeDirectory(try path("/d")).encoded
        let next = FileRequest.nextEntries.encoded
        let (replies, end) = try serve([next, other, next, next, next], with: base)
        #expect(end == nil)
        #expect(
            replies == [
                .entries(pieces[0]), .done, .entries(pieces[1]), .entries(EntryPiece()),
                .entries(EntryPiece()),
            ]
        )
        #expect(base.notes == ["next", "next", "make /d", "next", "next", "discard"])
    }

    @Test func entriesOfAListingThatIsOverAreForgotten() throws {
        let base = RecordingFileSystem()
        let pieces = ["a", "b", "c"].map {
            EntryPiece([DirectoryEntry(name: bytes($0), facts: sampleFacts)])
        }
        base.pieces = pieces
        let begin = FileRequest.beginListing(try path("/d"), ListingQuery([])).encoded
        let next = FileRequest.nextEntries.encoded
        let (replies, _) = try serve([begin, next, begin, next], with: base)
        #expect(
            replies == [
                .facts(sampleFacts), .entries(pieces[0]), .facts(sampleFacts), .entries(pieces[2]),
            ]
        )
    }

    @Test func failuresAreAnsweredAndDoNotEndTheServer() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        let missing = FileRequest.removeFile(try path("/missing")).encoded
        let (replies, end) = try serve([missing, missing], with: jail)
        #expect(end == nil)
        #expect(replies == [.failed(.notFound), .failed(.notFound)])
    }

    @Test(
        arguments: [
            ([99], .unknownTag(99)),
            ([0], .unknownTag(0)),
            ([13, 0], .trailingBytes(count: 1)),
            ([1], .truncated),
            ([1, 5, 0, 0, 0, 0x2F, 0x2E, 0x2E, 0x2F, 0x61], .invalidValue),
        ] as [([UInt8], MessageError)]
    )
    func aMalformedRequestEndsTheServerAtOnce(message: [UInt8], expected: MessageError) throws {
        let base = RecordingFileSystem()
        let good = FileRequest.makeDirectory(try path("/a")).encoded
        let (replies, end) = try serve([good, message, good], with: base)
        #expect(end == expected)
        #expect(replies == [.done])
        #expect(base.notes == ["make /a", "discard"])
    }

    @Test func aDescriptorThatNobodyAskedForEndsTheServer() throws {
        let base = RecordingFileSystem()
        let ends = try Ends.make()
        let good = FileRequest.makeDirectory(try path("/a")).encoded
        try ends.near.send(good, with: ends.near.descriptor)
        ends.near.descriptor.endWriting()
        let server = FileServer(
            MessageSocket(owning: try ends.far.descriptor.duplicate()),
            serving: base
        )
        #expect(thrown { try server.run() } == MessageError.wrongDescriptor)
        #expect(base.notes == ["discard"])
    }

    @Test func aMessageLongerThanAnyRequestEndsTheServer() throws {
        let base = RecordingFileSystem()
        let ends = try Ends.make()
        let long = [UInt8](repeating: 13, count: MessageSocket.maximumByteCount + 1)
        let number = ends.near.descriptor.number
        let sent = unsafe long.withUnsafeBytes {
            unsafe Glibc.send(number, $0.baseAddress, $0.count, 0)
        }
        try #require(sent == long.count)
        ends.near.descriptor.endWriting()
        let server = FileServer(
            MessageSocket(owning: try ends.far.descriptor.duplicate()),
            serving: base
        )
        #expect(thrown { try server.run() } != nil as MessageError?)
        #expect(base.notes == ["discard"])
    }

    @Test func permissionsAreCheckedByTheServer() throws {
        let ground = try Ground()
        try ground.write("a", "text")
        let permitted = PermittedFileSystem(
            try ground.jail(),
            rules: FileRules(permissions: .readOnly)
        )
        let requests: [FileRequest] = [
            .removeFile(try path("/a")), .openForWriting(try path("/a"), .replace),
            .rename(try path("/a"), try path("/b")), .setMode(try path("/a"), 0),
        ]
        let (replies, end) = try serve(requests.map(\.encoded), with: permitted)
        #expect(end == nil)
        #expect(replies == [FileReply](repeating: .failed(.notPermitted), count: 4))
        #expect(ground.content("a") == "text")
    }
}
