import FTPProtocol
import Testing

@Suite("Encodings of names, RFC 2640")
struct NameEncodingTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func latin1IsReadAndWritten() {
        let name: [UInt8] = [0x47, 0x72, 0xFC, 0xDF, 0x65, 0xFF]
        #expect(NameEncoding.latin1.decode(name, .refuse) == bytes("Grüßeÿ"))
        #expect(NameEncoding.latin1.encode(bytes("Grüßeÿ"), .refuse) == name)
    }

    @Test func windows1252HasLettersWhereLatin1HasControls() {
        let name: [UInt8] = [0x80, 0x9F, 0xE4, 0x81]
        #expect(NameEncoding.windows1252.decode(name, .refuse) == bytes("€Ÿä\u{81}"))
        #expect(NameEncoding.windows1252.encode(bytes("€Ÿä\u{81}"), .refuse) == name)
        #expect(NameEncoding.windows1252.encode(bytes("\u{80}"), .refuse) == nil)
    }

    @Test(arguments: [NameEncoding.latin1, .windows1252])
    func everyByteComesBack(encoding: NameEncoding) {
        let all = (UInt8.min...UInt8.max).map(\.self)
        let text = encoding.decode(all, .refuse) ?? []
        #expect(encoding.encode(text, .refuse) == all)
    }

    @Test(
        arguments: [
            (NameEncoding.Remedy.pass, "a\u{65E5}b"), (.replace, "a?b"), (.ignore, "ab"),
        ]
    )
    func whatLatin1DoesNotHaveIsRemedied(remedy: NameEncoding.Remedy, expected: String) {
        #expect(NameEncoding.latin1.encode(bytes("a\u{65E5}b"), remedy) == bytes(expected))
        #expect(NameEncoding.latin1.encode(bytes("a\u{65E5}b"), .refuse) == nil)
    }

    @Test(
        arguments: [
            [0x61, 0xFF, 0x62], [0x61, 0xC3], [0xC0, 0xAF, 0x61], [0xED, 0xA0, 0x80, 0x61],
            [0xF5, 0x80, 0x80, 0x80, 0x61],
        ] as [[UInt8]]
    )
    func whatIsNoUTF8IsRemedied(name: [UInt8]) {
        for encode in [NameEncoding.encode, NameEncoding.decode] {
            #expect(encode(.utf8)(name, .pass) == name)
            #expect(encode(.utf8)(name, .refuse) == nil)
            let shown = encode(.utf8)(name, .replace) ?? []
            #expect(String(validating: shown, as: UTF8.self)?.contains("\u{FFFD}") == true)
            #expect(encode(.utf8)(name, .ignore) == name.filter { $0 < 0x80 })
        }
    }

    @Test func aListingKeepsTheLinesThatCanBeTold() {
        let listing = bytes("one\r\ntw\u{F6}\r\n\u{65E5}\r\nfour\r\n")
        let told = bytes("one\r\ntw") + [0xF6] + bytes("\r\nfour\r\n")
        #expect(NameEncoding.latin1.encode(lines: listing, .refuse) == told)
        #expect(NameEncoding.utf8.encode(lines: listing, .refuse) == listing)
        let shown = NameEncoding.latin1.encode(lines: listing, .replace)
        #expect(shown == bytes("one\r\ntw") + [0xF6] + bytes("\r\n?\r\nfour\r\n"))
    }
}
