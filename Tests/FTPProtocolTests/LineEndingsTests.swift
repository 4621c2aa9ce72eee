import FTPProtocol
import TestSupport
import Testing

@Suite("Line ends in TYPE A, RFC 959 section 3.1.1.1")
struct LineEndingsTests {
    private func encode(_ pieces: [[UInt8]]) -> [UInt8] {
        var encoder = NetworkLineEncoder()
        var output: [UInt8] = []
        for piece in pieces { encoder.encode(piece.span, into: &output) }
        return output
    }

    private func decode(_ pieces: [[UInt8]]) -> [UInt8] {
        var decoder = NetworkLineDecoder()
        var output: [UInt8] = []
        for piece in pieces { decoder.decode(piece.span, into: &output) }
        decoder.finish(into: &output)
        return output
    }

    @Test(arguments: [
        ("", ""), ("a", "a"), ("\n", "\r\n"), ("a\nb\n", "a\r\nb\r\n"), ("\n\n", "\r\n\r\n"),
        ("a\r\nb", "a\r\nb"), ("a\rb", "a\rb"), ("\r", "\r"), ("\r\r\n", "\r\r\n"),
        ("\n\r", "\r\n\r"), ("\r\n\n", "\r\n\r\n"), ("\n\r\n", "\r\n\r\n"), ("a\0\n", "a\0\r\n"),
    ])
    func areSentAsCarriageReturnLineFeed(stored: String, sent: String) {
        #expect(text(encode([bytes(stored)])) == sent)
    }

    @Test(arguments: [
        ("", ""), ("a", "a"), ("\r\n", "\n"), ("a\r\nb\r\n", "a\nb\n"), ("a\nb", "a\nb"),
        ("a\rb", "a\rb"), ("\r", "\r"), ("a\r", "a\r"), ("\r\r\n", "\r\n"), ("\r\r", "\r\r"),
        ("\r\r\r\n\r", "\r\r\n\r"), ("\n\r", "\n\r"), ("\r\n\r\n", "\n\n"), ("\r\0", "\r\0"),
    ])
    func areStoredAsLineFeed(sent: String, stored: String) {
        #expect(text(decode([bytes(sent)])) == stored)
    }

    @Test func doNotDependOnHowTheBytesWereCut() {
        var generator = FixedGenerator(seed: 9)
        let alphabet: [UInt8] = [0x0A, 0x0D, 0x0A, 0x0D, 0x41, 0x00, 0xFF]
        for _ in 0..<300 {
            let input = (0..<40).map { _ in alphabet[Int.random(in: 0..<7, using: &generator)] }
            let encoded = encode([input])
            let decoded = decode([input])
            #expect(encode(input.map { [$0] }) == encoded)
            #expect(decode(input.map { [$0] }) == decoded)
            for position in 0...input.count {
                let halves = [Array(input[..<position]), Array(input[position...])]
                #expect(encode(halves) == encoded)
                #expect(decode(halves) == decoded)
            }
            let pieces = cut(input, longest: 5, using: &generator)
            #expect(encode(pieces) == encoded)
            #expect(decode(pieces) == decoded)
        }
    }

    @Test func comeBackAsTheyWereWhenTheTextHasNoCarriageReturn() {
        var generator = FixedGenerator(seed: 10)
        for _ in 0..<200 {
            let input = (0..<100).map { _ in UInt8.random(in: 0...20, using: &generator) }
                .filter { $0 != 0x0D }
            #expect(decode([encode([input])]) == input)
        }
    }

    @Test func neverChangeAnythingElse() {
        let everyOther = (UInt8.min...UInt8.max).filter { $0 != 0x0A && $0 != 0x0D }
        #expect(encode([everyOther]) == everyOther)
        #expect(decode([everyOther]) == everyOther)
    }

    @Test func holdACarriageReturnUntilTheNextByteIsKnown() {
        var decoder = NetworkLineDecoder()
        var output: [UInt8] = []
        decoder.decode(bytes("a\r").span, into: &output)
        #expect(output == bytes("a"))
        decoder.decode(bytes("").span, into: &output)
        #expect(output == bytes("a"))
        decoder.decode(bytes("\n").span, into: &output)
        #expect(output == bytes("a\n"))
        decoder.finish(into: &output)
        decoder.finish(into: &output)
        #expect(output == bytes("a\n"))
    }

    @Test func areAppendedToWhatIsThere() {
        var encoder = NetworkLineEncoder()
        var output = bytes("x\r")
        encoder.encode(bytes("\n").span, into: &output)
        // What stands in the output is another matter than what was encoded before.
        #expect(output == bytes("x\r\r\n"))
    }

    @Test func areRightInABufferOfRealSize() {
        let line = bytes(String(repeating: "x", count: 63) + "\n")
        let input = (0..<4_096).flatMap { _ in line }
        let sent = encode([input])
        #expect(sent.count == input.count + 4_096)
        #expect(decode([sent]) == input)
    }
}
