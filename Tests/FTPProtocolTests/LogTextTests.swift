import FTPProtocol
import Testing

@Suite("What a log shows of what came from outside")
struct LogTextTests {
    @Test(arguments: [
        "amy", "a.b", "amy@example.org", "a-b_c+d", "/a/b", "127.0.0.1:21", "sha256:0f",
    ])
    func ordinaryValuesStayAsTheyAre(text: String) {
        #expect(LogText.value(text.utf8) == text)
    }

    @Test(arguments: [
        ("", #""""#), ("a b", #""a b""#), ("x peer=6.6.6.6:6", #""x peer=6.6.6.6:6""#),
        (#"x" peer=1 y=""#, #""x\" peer=1 y=\"""#), (#"a\"#, #""a\\""#), ("a=b", #""a=b""#),
        ("[Isolation]", #""[Isolation]""#), ("b\u{FC}cher", "\"b\u{FC}cher\""),
        ("a\u{1B}[2J", #""a\x1B[2J""#),
    ])
    func everythingElseStandsBetweenQuotes(text: String, shown: String) {
        #expect(LogText.value(text.utf8) == shown)
    }

    @Test func aValueIsCutWithinItsQuotes() {
        let long = [UInt8](repeating: UInt8(ascii: "a"), count: 600)
        #expect(LogText.value(long, maximumByteCount: 3) == "\"aaa\u{2026}\"")
    }

    @Test(arguments: [
        "\u{AD}", "\u{61C}", "\u{200B}", "\u{200D}", "\u{200E}", "\u{2028}", "\u{2029}", "\u{202E}",
        "\u{2060}", "\u{2066}", "\u{FEFF}", "\u{E0001}", "\u{E0061}", "\u{85}", "\u{0}", "\u{7F}",
    ])
    func whatCannotBeSeenIsShown(mark: String) {
        let shown = LogText.escaped(Array("a\(mark)b".utf8))
        let bytes = mark.utf8.map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return "\\x" + (digits.utf8.count < 2 ? "0" : "") + digits
        }
        #expect(shown == "a\(bytes.joined())b")
    }

    @Test func reasonsOfOursStayAsTheyAreAndOthersStandBetweenQuotes() {
        let own = "cert_auth: no certificate of the user's was proved (x), y; z"
        #expect(LogText.reason(own) == own)
        #expect(LogText.reason("x user=a") == #""x user=a""#)
        #expect(LogText.reason("x [Isolation] login") == #""x [Isolation] login""#)
        #expect(LogText.reason("x\u{200B}") == #""x\xE2\x80\x8B""#)
    }
}
