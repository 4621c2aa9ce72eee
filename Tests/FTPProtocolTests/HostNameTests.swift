import FTPProtocol
import TestSupport
import Testing

@Suite("The argument of HOST, RFC 7151 section 3.1")
struct HostNameTests {
    @Test(arguments: [
        ("ftp.example.org", "ftp.example.org"),
        ("FTP.Example.ORG.", "ftp.example.org"),
        ("localhost", "localhost"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("my_host", "my_host"),
        ("192.0.2.1", "192.0.2.1"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("[2001:DB8::1]", "[2001:db8::1]"),
        ("1a.example", "1a.example"),
    ])
    func mayBeANameOrAnAddress(argument: String, name: String) throws {
        let host = try #require(HostName(argument: bytes(argument)))
        #expect(host.text == name)
        #expect(HostName(argument) == host)
    }

    @Test(arguments: [
        "", ".", "..", "a..b", ".a", "-a", "a-", "a b", "a/b", "a:21", "2001:db8::1", "[]", "[::1",
        "::1]", "[a]", "[::1]x", "256.1.1.1", "1.2.3", "user@host", "a\u{E9}",
        String(repeating: "a", count: 64), "[1.2.3.4.5]",
    ])
    func isRefusedOtherwise(argument: String) {
        #expect(HostName(argument: bytes(argument)) == nil)
    }

    @Test func isAtMostAsLongAsANameOfTheDNS() {
        let label = String(repeating: "a", count: 60) + "."
        let longest = String(repeating: label, count: 4) + String(repeating: "b", count: 9)
        #expect(HostName(longest)?.text == longest)
        #expect(HostName(longest + ".")?.text == longest)
        #expect(HostName(longest + "b") == nil)
    }
}

@Suite("The argument of LANG, RFC 2640 section 4")
struct LanguageTagTests {
    @Test(arguments: [
        ("en", true), ("EN", true), ("En-us", true), ("en-GB-oxendict", true), ("fr", false),
        ("enm", false), ("de-AT", false), ("i-klingon", false), ("x-1", false),
    ])
    func isATagOfAnyLanguage(argument: String, isEnglish: Bool) throws {
        let tag = try #require(LanguageTag(argument: bytes(argument)))
        #expect(tag.isEnglish == isEnglish)
    }

    @Test(arguments: [
        "", "-", "en-", "-en", "en--us", "en us", "en_US", "e1", "ninechars", "*", "\u{E9}",
    ])
    func isRefusedOtherwise(argument: String) {
        #expect(LanguageTag(argument: bytes(argument)) == nil)
    }
}

@Suite("The argument of ALLO, RFC 959 section 4.1.3")
struct AllocationSizeTests {
    @Test(
        arguments: [
            ("0", 0), ("1000", 1_000), ("9223372036854775807", .max), ("10 R 5", 10),
            ("10 r 5", 10),
        ] as [(String, Int64)]
    )
    func isANumberOfBytes(argument: String, size: Int64) {
        #expect(AllocationSize.parse(bytes(argument)) == size)
    }

    @Test(arguments: [
        "", " ", "-1", "x", "1 2", "1 R", "1 R x", "1 R 2 3", "1 S 2", "9223372036854775808", "1.5",
    ])
    func isRefusedOtherwise(argument: String) {
        #expect(AllocationSize.parse(bytes(argument)) == nil)
    }
}
