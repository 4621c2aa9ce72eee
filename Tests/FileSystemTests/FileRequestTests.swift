import FTPProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import FileSystem

@Suite("Requests that a hostile Session could send")
struct FileRequestTests {
    /// One request of every kind and form.
    private static let samples: [FileRequest] = {
        let a = VirtualPath("/a") ?? .root
        let b = VirtualPath("/dir/b \u{FC}") ?? .root
        return [
            .enterDirectory(.root), .enterDirectory(a),
            .facts(a, .showing), .facts(b, .renaming),
            .openForReading(b),
            .openForWriting(a, .replace), .openForWriting(a, .append), .openForWriting(a, .unique),
            .openForWriting(a, .create),
            .openForWriting(a, .resume(offset: 0)), .openForWriting(a, .resume(offset: .max)),
            .makeDirectory(a), .removeDirectory(a), .removeFile(a), .discardUpload, .commitUpload,
            .emptyUpload,
            .storageReport, .extendUpload(1), .extendUpload(.max),
            .rename(a, b), .rename(b, a),
            .setModificationTime(a, -1), .setModificationTime(a, .max),
            .setMode(a, 0), .setMode(a, 0o7777),
            .beginListing(a, ListingQuery([])),
            .beginListing(b, ListingQuery(ListingOptions(rawValue: 2047), matching: bytes("*"))),
            .nextEntries, .setGroup(a, 0), .setGroup(b, .max - 1), .makeSymbolicLink(a, b),
            .setFileModeMask(0), .setFileModeMask(0o777), .availableByteCount(b), .message(b),
        ]
    }()

    private func request(tag: UInt8, path: [UInt8], _ rest: [UInt8] = []) -> [UInt8] {
        var writer = MessageWriter(tag: tag)
        writer.put(path)
        return writer.bytes + rest
    }

    @Test(arguments: samples)
    func whatIsWrittenIsRead(request: FileRequest) throws {
        #expect(try FileRequest(decoding: request.encoded) == request)
    }

    @Test func twoRequestsNeverLookTheSame() {
        #expect(Set(Self.samples.map(\.encoded)).count == Self.samples.count)
    }

    @Test(arguments: samples)
    func everyCutIsRefused(request: FileRequest) {
        let whole = request.encoded
        for count in 0..<whole.count {
            #expect(throws: MessageError.truncated, "\(count) bytes") {
                try FileRequest(decoding: [UInt8](whole.prefix(count)))
            }
        }
    }

    @Test(arguments: samples)
    func everyByteTooManyIsRefused(request: FileRequest) {
        for byte in [0, 1, 0xFF] as [UInt8] {
            #expect(throws: MessageError.trailingBytes(count: 1)) {
                try FileRequest(decoding: request.encoded + [byte])
            }
        }
    }

    @Test func unknownKindsAreRefused() {
        for tag in 0...UInt8.max where !(1...22).contains(tag) {
            #expect(throws: MessageError.unknownTag(tag)) {
                try FileRequest(decoding: [tag, 1, 0, 0, 0, 0x2F])
            }
        }
    }

    @Test(arguments: [
        "", "a", "a/b", "//", "/a/", "/a//b", "/.", "/..", "/a/..", "/a/../b", "/./a", "/a/.",
        "../a", "/\0", "/a\0b", "/a\r", "/a\nb", " /a",
    ])
    func aPathThatIsNotNormalisedIsRefused(text: String) {
        for tag in [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12] as [UInt8] {
            #expect(throws: MessageError.invalidValue, "kind \(tag)") {
                try FileRequest(decoding: request(tag: tag, path: bytes(text), [0, 0]))
            }
        }
    }

    @Test func theSecondPathIsCheckedLikeTheFirst() {
        var writer = MessageWriter(tag: 9)
        writer.put(bytes("/a"))
        writer.put(bytes("/a/../b"))
        #expect(throws: MessageError.invalidValue) { try FileRequest(decoding: writer.bytes) }
    }

    @Test func aPathThatIsTooLongIsRefused() {
        let limit = VirtualPath.maximumByteCount
        let longest = [UInt8(ascii: "/")] + [UInt8](repeating: 65, count: limit - 1)
        #expect(throws: Never.self) {
            try FileRequest(decoding: request(tag: 1, path: longest))
        }
        #expect(throws: MessageError.invalidValue) {
            try FileRequest(decoding: request(tag: 1, path: longest + [65]))
        }
        let huge = longest + [UInt8](repeating: 65, count: 1_000)
        #expect(throws: MessageError.tooLong(byteCount: huge.count)) {
            try FileRequest(decoding: request(tag: 1, path: huge))
        }
    }

    @Test(arguments: [UInt32.max, 0x8000_0000, 0x7FFF_FFFF, 4_097] as [UInt32])
    func aHugeCountIsRefused(count: UInt32) {
        var writer = MessageWriter(tag: 1)
        writer.put(count)
        #expect(throws: MessageError.tooLong(byteCount: Int(count))) {
            try FileRequest(decoding: writer.bytes + bytes("/a"))
        }
    }

    @Test(arguments: [0o10000, 0o10777, 0o170000, .max] as [UInt16])
    func aModeOfMoreThanPermissionBitsIsRefused(mode: UInt16) throws {
        let message = FileRequest.setMode(try path("/a"), mode).encoded
        #expect(throws: MessageError.invalidValue) { try FileRequest(decoding: message) }
    }

    @Test func aGroupThatStandsForNoneIsRefused() throws {
        let message = FileRequest.setGroup(try path("/a"), .max).encoded
        #expect(throws: MessageError.invalidValue) { try FileRequest(decoding: message) }
    }

    @Test(arguments: [0o1000, 0o1777, .max] as [UInt16])
    func aMaskOfMoreThanNineBitsIsRefused(mask: UInt16) throws {
        let message = FileRequest.setFileModeMask(mask).encoded
        #expect(throws: MessageError.invalidValue) { try FileRequest(decoding: message) }
    }

    @Test(arguments: [-1, -4_096, .min] as [Int64])
    func aNegativeOffsetIsRefused(offset: Int64) throws {
        let message = FileRequest.openForWriting(try path("/a"), .resume(offset: offset)).encoded
        #expect(throws: MessageError.invalidValue) { try FileRequest(decoding: message) }
    }

    @Test(arguments: [0x0800, 0x0801, 0x8000, 0xFFFF] as [UInt16])
    func anUnknownListingOptionIsRefused(bits: UInt16) throws {
        let query = ListingQuery(ListingOptions(rawValue: bits))
        let message = FileRequest.beginListing(try path("/a"), query).encoded
        #expect(throws: MessageError.invalidValue) { try FileRequest(decoding: message) }
    }

    @Test func aPatternThatIsTooLongIsRefused() throws {
        let longest = ListingQuery(.sorted, matching: [UInt8](repeating: 42, count: 255))
        let message = FileRequest.beginListing(try path("/a"), longest).encoded
        #expect(try FileRequest(decoding: message) == .beginListing(path("/a"), longest))
        let longer = ListingQuery(.sorted, matching: [UInt8](repeating: 42, count: 256))
        #expect(throws: MessageError.tooLong(byteCount: 256)) {
            try FileRequest(decoding: FileRequest.beginListing(path("/a"), longer).encoded)
        }
    }

    @Test(arguments: [2, 255] as [UInt8])
    func anUnknownPurposeIsRefused(purpose: UInt8) {
        #expect(throws: MessageError.invalidValue) {
            try FileRequest(decoding: request(tag: 2, path: bytes("/a"), [purpose]))
        }
    }

    @Test(arguments: [5, 255] as [UInt8])
    func anUnknownDispositionIsRefused(disposition: UInt8) {
        #expect(throws: MessageError.invalidValue) {
            try FileRequest(decoding: request(tag: 4, path: bytes("/a"), [disposition]))
        }
    }

    @Test func noBytesOfAnyValueTrapTheReader() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var message = Self.samples.randomElement(using: &generator)?.encoded ?? [1]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: message.indices, using: &generator)
                message[index] = UInt8.random(in: .min ... .max, using: &generator)
            }
            // Whatever is accepted is what would have been written.
            guard let request = try? FileRequest(decoding: message) else { continue }
            #expect(request.encoded == message)
        }
    }
}
