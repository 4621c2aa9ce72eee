import FTPProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import FileSystem

@Suite("Answers of the process that opens files")
struct FileReplyTests {
    private static let samples: [FileReply] = {
        let link = DirectoryEntry(
            name: bytes("link"),
            facts: sampleFacts,
            target: [UInt8](repeating: 0xFF, count: 4_096)
        )
        let file = DirectoryEntry(name: [UInt8](repeating: 0x0A, count: 255), facts: sampleFacts)
        return [
            .done, .failed(.notFound), .failed(.unavailable), .facts(sampleFacts),
            .opened(sampleFacts, VirtualPath("/a/b") ?? .root),
            .opened(sampleFacts, .root, isNew: true), .opened(sampleFacts, .root, isMetered: true),
            .storage(StorageReport(limits: StorageLimits(), usedBytes: 1, usedFiles: .max)),
            .byteCount(0), .byteCount(.max),
            .text([]), .text([UInt8](repeating: 0xFF, count: 4_000)),
            .entries(EntryPiece()), .entries(EntryPiece([file])),
            .entries(EntryPiece([file, link, file])),
            .entries(
                EntryPiece([
                    DirectoryEntry(name: [1], facts: sampleFacts, permissions: .readOnly),
                    DirectoryEntry(name: [2], facts: sampleFacts, target: [3], permissions: []),
                ])
            ),
        ]
    }()

    @Test(arguments: samples)
    func whatIsWrittenIsRead(reply: FileReply) throws {
        #expect(try FileReply(decoding: reply.encoded) == reply)
    }

    @Test func everyKindOfFileIsRead() throws {
        for kind in FileFacts.Kind.allCases {
            var facts = sampleFacts
            facts.kind = kind
            #expect(try FileReply(decoding: FileReply.facts(facts).encoded) == .facts(facts))
        }
    }

    @Test func everyErrorIsRead() throws {
        for error in (UInt8.min ... .max).compactMap(FileError.init(rawValue:)) {
            #expect(try FileReply(decoding: FileReply.failed(error).encoded) == .failed(error))
        }
    }

    @Test(arguments: samples)
    func everyCutIsRefused(reply: FileReply) {
        let whole = reply.encoded
        for count in 0..<whole.count {
            #expect(throws: MessageError.truncated, "\(count) bytes") {
                try FileReply(decoding: [UInt8](whole.prefix(count)))
            }
        }
    }

    @Test(arguments: samples)
    func everyByteTooManyIsRefused(reply: FileReply) {
        #expect(throws: MessageError.trailingBytes(count: 1)) {
            try FileReply(decoding: reply.encoded + [0])
        }
    }

    @Test func unknownKindsAreRefused() {
        for tag in 0...UInt8.max where !(1...8).contains(tag) {
            #expect(throws: MessageError.unknownTag(tag)) { try FileReply(decoding: [tag]) }
        }
    }

    @Test(arguments: [0, 24, 255] as [UInt8])
    func anUnknownErrorIsRefused(code: UInt8) {
        #expect(throws: MessageError.invalidValue) { try FileReply(decoding: [2, code]) }
    }

    @Test(arguments: [7, 255] as [UInt8])
    func anUnknownKindOfFileIsRefused(kind: UInt8) {
        var message = FileReply.facts(sampleFacts).encoded
        message[1] = kind
        #expect(throws: MessageError.invalidValue) { try FileReply(decoding: message) }
    }

    @Test func moreEntriesThanFitAreRefusedBeforeTheyAreRead() {
        var writer = MessageWriter(tag: 5)
        writer.put(UInt16(4_097))
        #expect(throws: MessageError.tooLong(byteCount: 4_097)) {
            try FileReply(decoding: writer.bytes)
        }
    }

    @Test func aNameOrTargetThatIsTooLongIsRefused() {
        let name = DirectoryEntry(name: [UInt8](repeating: 65, count: 4_097), facts: sampleFacts)
        #expect(throws: MessageError.tooLong(byteCount: 4_097)) {
            try FileReply(decoding: FileReply.entries(EntryPiece([name])).encoded)
        }
        let target = DirectoryEntry(
            name: [65],
            facts: sampleFacts,
            target: [UInt8](repeating: 65, count: 4_097)
        )
        #expect(throws: MessageError.tooLong(byteCount: 4_097)) {
            try FileReply(decoding: FileReply.entries(EntryPiece([target])).encoded)
        }
    }
}
