import LinuxSystem
import TestSupport
import Testing

@Suite("Fields of a message from a hostile process")
struct MessageCodingTests {
    /// One field of every kind.
    private struct Fields: Equatable {
        var small: UInt8 = 0xA5
        var wide: UInt64 = 0x0123_4567_89AB_CDEF
        var negative: Int64 = -2
        var truth = true
        var raw: [UInt8] = [0, 255, 7]
        var text = "grüße"

        init() {}

        init(_ bytes: [UInt8]) throws(MessageError) {
            var reader = try MessageReader(bytes)
            small = try reader.take()
            wide = try reader.take()
            negative = try reader.take()
            truth = try reader.takeBool()
            raw = try reader.takeBytes(maximum: 3)
            text = try reader.takeString(maximum: 7)
            try reader.finish()
        }

        var encoded: [UInt8] {
            var writer = MessageWriter(tag: 42)
            writer.put(small)
            writer.put(wide)
            writer.put(negative)
            writer.put(truth)
            writer.put(raw)
            writer.put(text)
            return writer.bytes
        }
    }

    @Test func whatIsWrittenIsRead() throws {
        let fields = Fields()
        #expect(try Fields(fields.encoded) == fields)
        #expect(try MessageReader(fields.encoded).tag == 42)
    }

    @Test func integersAreLittleEndian() {
        var writer = MessageWriter(tag: 1)
        writer.put(UInt32(0x0403_0201))
        writer.put(Int16(-2))
        #expect(writer.bytes == [1, 1, 2, 3, 4, 0xFE, 0xFF])
    }

    @Test func everyCutOfAMessageIsRefused() {
        let whole = Fields().encoded
        for count in 0..<whole.count {
            #expect(throws: MessageError.truncated, "\(count) bytes") {
                try Fields([UInt8](whole.prefix(count)))
            }
        }
    }

    @Test(arguments: [1, 2, 1_000])
    func bytesBehindTheLastFieldAreRefused(count: Int) {
        let message = Fields().encoded + [UInt8](repeating: 0, count: count)
        #expect(throws: MessageError.trailingBytes(count: count)) { try Fields(message) }
    }

    @Test(arguments: [2, 3, 128, 255] as [UInt8])
    func onlyZeroAndOneAreTruthValues(byte: UInt8) throws {
        var reader = try MessageReader([1, byte])
        let error = thrown(MessageError.self) { _ = try reader.takeBool() }
        #expect(error == .invalidValue)
    }

    @Test func bothTruthValuesAreRead() throws {
        var reader = try MessageReader([1, 0, 1])
        let values = try [reader.takeBool(), reader.takeBool()]
        #expect(values == [false, true])
    }

    @Test(arguments: [5, 256, UInt32.max - 1, .max] as [UInt32])
    func aFieldLongerThanAllowedIsRefusedBeforeItIsLookedFor(count: UInt32) throws {
        var writer = MessageWriter(tag: 1)
        writer.put(count)
        let message = writer.bytes + [UInt8](repeating: 65, count: 300)
        let expected = MessageError.tooLong(byteCount: Int(count))
        var reader = try MessageReader(message)
        #expect(thrown { _ = try reader.takeBytes(maximum: 4) } == expected)
        reader = try MessageReader(message)
        #expect(thrown { _ = try reader.takeString(maximum: 4) } == expected)
        reader = try MessageReader(message)
        #expect(thrown { _ = try reader.takeSecret(maximum: 4) } == expected)
    }

    @Test(arguments: [1, 4, 100] as [UInt32])
    func aCountThatPromisesMoreThanThereIsIsRefused(excess: UInt32) throws {
        var writer = MessageWriter(tag: 1)
        writer.put(3 + excess)
        let message = writer.bytes + [1, 2, 3]
        var reader = try MessageReader(message)
        #expect(thrown { _ = try reader.takeBytes(maximum: 1_000) } == MessageError.truncated)
        reader = try MessageReader(message)
        #expect(thrown { _ = try reader.takeSecret(maximum: 1_000) } == MessageError.truncated)
    }

    @Test(
        arguments: [
            [0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [65, 0x80],
        ] as [[UInt8]]
    )
    func bytesThatAreNotUTF8AreNoText(bytes: [UInt8]) throws {
        var writer = MessageWriter(tag: 1)
        writer.put(bytes)
        var reader = try MessageReader(writer.bytes)
        #expect(thrown { _ = try reader.takeString(maximum: 10) } == MessageError.invalidValue)
    }

    @Test func aSecretArrivesWhole() throws {
        var writer = MessageWriter(tag: 1)
        writer.put("p\u{E4}ss")
        writer.put(true)
        var reader = try MessageReader(writer.bytes)
        let secret = try reader.takeSecret(maximum: 5)
        let bytes = unsafe secret.withBytes { unsafe [UInt8]($0) }
        #expect(bytes == Array("p\u{E4}ss".utf8))
        let rest = try reader.takeBool()
        #expect(rest)
        try reader.finish()
    }

    @Test(
        arguments: [
            ("", 0, ""), ("abc", 3, "abc"), ("abc", 2, "ab"), ("abc", 0, ""), ("abc", -1, ""),
            ("a\u{E9}", 2, "a"), ("a\u{E9}", 3, "a\u{E9}"), ("\u{20AC}\u{20AC}", 5, "\u{20AC}"),
            ("\u{1F600}", 3, ""), ("e\u{301}", 2, "e"),
        ] as [(String, Int, String)]
    )
    func aTextIsCutBetweenScalars(text: String, maximum: Int, cut: String) {
        #expect(Array(text.cut(toByteCount: maximum).utf8) == Array(cut.utf8))
    }

    @Test func noBytesAreNoMessage() {
        #expect(throws: MessageError.truncated) { try MessageReader([]) }
    }
}
