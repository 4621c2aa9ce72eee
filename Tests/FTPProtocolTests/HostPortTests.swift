import FTPProtocol
import TestSupport
import Testing

@Suite("PORT and PASV, RFC 959 section 4.1.2")
struct HostPortTests {
    @Test(arguments: [
        ("127,0,0,1,19,136", 0x7F00_0001 as UInt32, 5_000 as UInt16),
        ("0,0,0,0,0,1", 0, 1),
        ("255,255,255,255,255,255", .max, .max),
        ("127,000,000,001,019,136", 0x7F00_0001, 5_000),
    ])
    func sixNumbersAreRead(argument: String, address: UInt32, port: UInt16) {
        let expected = HostPort(address: .v4(address), port: port)
        #expect(HostPort(argument: bytes(argument)) == expected)
    }

    @Test(arguments: [
        "", ",", ",,,,,", "127,0,0,1,19", "127,0,0,1,19,136,", "127,0,0,1,19,136,1",
        ",127,0,0,1,19,136", "127,0,0,1,,136", "127,0,0,1,19,256", "256,0,0,1,19,136",
        "127,0,0,1,19,0136", "127,0,0,1,19,-1", "127,0,0,1,19,+1", "127,0,0,1,19, 1",
        " 127,0,0,1,19,136", "127,0,0,1,19,136 ", "(127,0,0,1,19,136)", "127.0.0.1,19,136",
        "127,0,0,1,19,1e1", "127,0,0,1,0x13,136", "a,b,c,d,e,f", "127,0,0,1,19,136\0",
        "127,0,0,1,0,0", "127,0,0,1,19,99999999999999999999999", "١,0,0,1,19,136",
    ])
    func anythingElseIsRefused(argument: String) {
        #expect(HostPort(argument: bytes(argument)) == nil)
    }

    @Test func aPairSurvivesPrintingAndReading() throws {
        var generator = FixedGenerator(seed: 2)
        for _ in 0..<500 {
            let pair = HostPort(
                address: .v4(UInt32(truncatingIfNeeded: generator.next())),
                port: UInt16.random(in: 1...65_535, using: &generator)
            )
            let text = try #require(pair.text)
            #expect(HostPort(argument: bytes(text)) == pair)
        }
    }

    @Test func theTextIsExactlySixNumbers() {
        #expect(HostPort(address: .v4(0x7F00_0001), port: 5_000).text == "127,0,0,1,19,136")
    }

    @Test func onlyAnIPv4AddressHasAText() throws {
        let mapped = try #require(IPAddress("::ffff:10.0.0.1"))
        #expect(HostPort(address: mapped, port: 258).text == "10,0,0,1,1,2")
        let six = try #require(IPAddress("2001:db8::1"))
        #expect(HostPort(address: six, port: 258).text == nil)
    }
}

@Suite("EPRT and EPSV, RFC 2428")
struct ExtendedAddressTests {
    @Test(arguments: [
        ("|1|132.235.1.2|6275|", "132.235.1.2", 6_275 as UInt16),
        ("|2|1080::8:800:200C:417A|5282|", "1080::8:800:200c:417a", 5_282),
        ("!1!10.0.0.1!65535!", "10.0.0.1", 65_535),
        ("~2~::1~1~", "::1", 1),
        ("a1a10.0.0.1a21a", "10.0.0.1", 21),
        ("|2|::ffff:10.0.0.1|21|", "::ffff:10.0.0.1", 21),
    ])
    func addressesAreRead(argument: String, address: String, port: UInt16) throws {
        let pair = try ExtendedAddress(argument: bytes(argument))
        #expect(pair.address.description == address)
        #expect(pair.port == port)
    }

    @Test(arguments: [
        "", "|", "||||", "|||||", "|1|10.0.0.1|21", "1|10.0.0.1|21|", "|1|10.0.0.1|21||",
        "|1|10.0.0.1|21|x", "|1|10.0.0.1|21| ", " |1|10.0.0.1|21|", "|1|10.0.0.1|0|",
        "|1|10.0.0.1|65536|", "|1|10.0.0.1|000021|", "|1|10.0.0.1|-21|", "|1|10.0.0.1|+21|",
        "|1|10.0.0.1||", "|1||21|", "||10.0.0.1|21|", "|1|::1|21|", "|2|10.0.0.1|21|",
        "|2|fe80::1%eth0|21|", "|2|fe80::1%1|21|", "|2|[::1]|21|", "|1|010.0.0.1|21|",
        "|1|10.0.0.1|99999999999999999999|", "|x|10.0.0.1|21|", "|-1|10.0.0.1|21|",
        "|1 |10.0.0.1|21|", ".1.10.0.0.1.21.", " 1 10.0.0.1 21 ",
        "\u{7F}1\u{7F}10.0.0.1\u{7F}21\u{7F}",
        "|1!10.0.0.1!21!", "1110.0.0.11211", "\0001\00010.0.0.1\00021\000",
    ])
    func aBrokenArgumentIsMalformed(argument: String) {
        #expect(throws: ExtendedAddressError.malformed) {
            try ExtendedAddress(argument: bytes(argument))
        }
    }

    @Test(arguments: [
        "|3|10.0.0.1|21|", "|0|x|21|", "|12|x|y|", "|99999999999999999999999|::1|21|", "|01|a|b|",
    ])
    func anotherProtocolIsNamedAsSuch(argument: String) {
        #expect(throws: ExtendedAddressError.unsupportedProtocol) {
            try ExtendedAddress(argument: bytes(argument))
        }
    }

    @Test func aDelimiterBeyondASCIIIsMalformed() {
        let argument = bytes("|1|10.0.0.1|21|").map { $0 == UInt8(ascii: "|") ? 0xC3 : $0 }
        #expect(throws: ExtendedAddressError.malformed) {
            try ExtendedAddress(argument: argument)
        }
    }

    @Test(arguments: [
        ("", ExtendedPassiveArgument.any), ("1", .family(.ipv4)), ("2", .family(.ipv6)),
        ("ALL", .all), ("all", .all), ("All", .all),
    ])
    func passiveArgumentsAreRead(argument: String, expected: ExtendedPassiveArgument) throws {
        #expect(try ExtendedPassiveArgument(argument: bytes(argument)) == expected)
    }

    @Test(arguments: [
        ("3", ExtendedAddressError.unsupportedProtocol), ("0", .unsupportedProtocol),
        ("11", .unsupportedProtocol), ("99999999999999999999", .unsupportedProtocol),
        (" ", .malformed), ("1 ", .malformed), ("-1", .malformed), ("ALLE", .malformed),
        ("AL", .malformed), ("\0", .malformed), ("|1|", .malformed),
    ])
    func otherPassiveArgumentsAreRefused(argument: String, error: ExtendedAddressError) {
        #expect(throws: error) { try ExtendedPassiveArgument(argument: bytes(argument)) }
    }
}
