import FTPProtocol
import TestSupport
import Testing

@Suite("Addresses, RFC 4291 section 2.2 and RFC 5952")
struct IPAddressTests {
    @Test(arguments: [
        ("0.0.0.0", IPAddress.v4(0)),
        ("127.0.0.1", .v4(0x7F00_0001)),
        ("192.0.2.255", .v4(0xC000_02FF)),
        ("255.255.255.255", .v4(.max)),
        ("::", .v6(high: 0, low: 0)),
        ("::1", .v6(high: 0, low: 1)),
        ("1::", .v6(high: 0x0001_0000_0000_0000, low: 0)),
        (
            "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789",
            .v6(high: 0xABCD_EF01_2345_6789, low: 0xABCD_EF01_2345_6789)
        ),
        (
            "2001:DB8:0:0:8:800:200C:417A",
            .v6(high: 0x2001_0DB8_0000_0000, low: 0x0008_0800_200C_417A)
        ),
        (
            "2001:DB8::8:800:200C:417A",
            .v6(high: 0x2001_0DB8_0000_0000, low: 0x0008_0800_200C_417A)
        ),
        ("FF01::101", .v6(high: 0xFF01_0000_0000_0000, low: 0x101)),
        ("0:0:0:0:0:0:13.1.68.3", .v6(high: 0, low: 0x0D01_4403)),
        ("::13.1.68.3", .v6(high: 0, low: 0x0D01_4403)),
        ("::FFFF:129.144.52.38", .v6(high: 0, low: 0xFFFF_8190_3426)),
        ("1:2:3:4:5:6:7::", .v6(high: 0x0001_0002_0003_0004, low: 0x0005_0006_0007_0000)),
        ("::2:3:4:5:6:7:8", .v6(high: 0x0000_0002_0003_0004, low: 0x0005_0006_0007_0008)),
        (
            "0001:0002:0003:0004:0005:0006:255.255.255.255",
            .v6(high: 0x0001_0002_0003_0004, low: 0x0005_0006_FFFF_FFFF)
        ),
    ])
    func areRead(text: String, address: IPAddress) {
        #expect(IPAddress(text) == address)
    }

    @Test(arguments: [
        "", " ", ".", "...", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.0.0.1",
        "1.2.3.1000", "01.2.3.4", "1.2.3.00", "0x7f.0.0.1", "127.1", "2130706433", "1.2.3.4 ",
        " 1.2.3.4", "+1.2.3.4", "1.2.3.-4", "1,2,3,4", "1.2.3.٤", "localhost", "1.2.3.4\0",
        ":", ":::", "::1::", "1::2::3", ":1", "1:", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4::5:6:7:8", "::1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8::", "12345::", "g::", "::g", "[::1]", "::1%lo", "fe80::1%1", "::1/128",
        "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "::1.2.3.256", "::01.2.3.4",
        "1:2:3:4:5:1.2.3.4", "::-1", "::+1", ":: 1", "1::2:",
        "00000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
    ])
    func inAnyOtherFormAreRefused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:DB8::ABCD", "2001:db8::abcd"),
        ("0:0:0:0:0:0:0:0", "::"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("1:0:0:0:0:0:0:0", "1::"),
        ("0:0:1:0:0:0:0:0", "0:0:1::"),
        ("::ffff:c000:0201", "::ffff:192.0.2.1"),
        ("::fffe:c000:201", "::fffe:c000:201"),
        ("::1.2.3.4", "::102:304"),
        ("10.0.0.1", "10.0.0.1"),
    ])
    func areShownAsRecommended(text: String, shown: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == shown)
    }

    @Test func survivePrintingAndReading() {
        var generator = FixedGenerator(seed: 1)
        for _ in 0..<2_000 {
            // Groups are often zero, so that every way to shorten comes up.
            func half() -> UInt64 {
                (0..<4).reduce(0) { value, _ in
                    let group = Bool.random(using: &generator) ? generator.next() & 0xFFFF : 0
                    return value << 16 | group
                }
            }
            let address = IPAddress.v6(high: half(), low: half())
            #expect(IPAddress(address.description) == address)
            let short = IPAddress.v4(UInt32(truncatingIfNeeded: generator.next()))
            #expect(IPAddress(short.description) == short)
        }
    }

    @Test func mappedAddressesAreUnmappedAndNoOthers() throws {
        #expect(IPAddress("::ffff:10.1.2.3")?.unmapped == IPAddress("10.1.2.3"))
        #expect(IPAddress("10.1.2.3")?.unmapped == IPAddress("10.1.2.3"))
        for text in ["::10.1.2.3", "1::ffff:10.1.2.3", "::1:ffff:10.1.2.3", "::fffe:10.1.2.3"] {
            let address = try #require(IPAddress(text))
            #expect(address.unmapped == address)
        }
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.255.255.255", true), ("::1", true), ("::ffff:127.9.9.9", true),
        ("126.255.255.255", false), ("128.0.0.0", false), ("::2", false), ("1::1", false),
    ])
    func loopbackIsRecognised(text: String, expected: Bool) {
        #expect(IPAddress(text)?.isLoopback == expected)
    }

    @Test(arguments: [
        ("10.0.0.0", true), ("10.255.255.255", true), ("9.255.255.255", false), ("11.0.0.0", false),
        ("172.16.0.0", true), ("172.31.255.255", true), ("172.15.255.255", false),
        ("172.32.0.0", false), ("192.168.0.0", true), ("192.168.255.255", true),
        ("192.167.255.255", false), ("192.169.0.0", false), ("169.254.0.1", true),
        ("169.253.255.255", false), ("127.0.0.1", true), ("8.8.8.8", false), ("0.0.0.0", false),
        ("fc00::", true), ("fdff:ffff::1", true), ("fbff::", false), ("fe00::", false),
        ("fe80::1", true), ("febf::1", true), ("fec0::1", false), ("fe7f::1", false), ("::1", true),
        ("::ffff:192.168.1.1", true), ("2001:db8::1", false), ("::", false),
    ])
    func privateRangesAreRecognised(text: String, expected: Bool) {
        #expect(IPAddress(text)?.isPrivate == expected)
    }

    @Test(arguments: [
        ("223.255.255.255", false), ("224.0.0.0", true), ("239.1.2.3", true), ("240.0.0.1", true),
        ("255.255.255.255", true), ("ff02::1", true), ("fe80::1", false),
        ("::ffff:224.0.0.1", true),
    ])
    func groupsOfHostsAreRecognised(text: String, expected: Bool) {
        #expect(IPAddress(text)?.isMulticast == expected)
    }

    @Test func theUnspecifiedAddressHasThreeForms() {
        for text in ["0.0.0.0", "::", "::ffff:0.0.0.0"] {
            #expect(IPAddress(text)?.isUnspecified == true)
        }
        for text in ["0.0.0.1", "::1", "1::"] {
            #expect(IPAddress(text)?.isUnspecified == false)
        }
    }

    @Test func theFamilyIsThatOfTheNotation() {
        #expect(IPAddress("1.2.3.4")?.family == .ipv4)
        #expect(IPAddress("::ffff:1.2.3.4")?.family == .ipv6)
    }
}
