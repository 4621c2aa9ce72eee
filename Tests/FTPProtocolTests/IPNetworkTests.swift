import FTPProtocol
import Testing

@Suite("Networks in CIDR notation")
struct IPNetworkTests {
    private func contains(_ network: String, _ address: String) throws -> Bool {
        try #require(IPNetwork(network)).contains(try #require(IPAddress(address)))
    }

    @Test(arguments: [
        ("192.0.2.0/24", "192.0.2.0", true), ("192.0.2.0/24", "192.0.2.255", true),
        ("192.0.2.0/24", "192.0.3.0", false), ("192.0.2.128/25", "192.0.2.127", false),
        ("10.0.0.0/8", "10.255.255.255", true), ("0.0.0.0/0", "255.1.2.3", true),
        ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7/32", "192.0.2.6", false),
        ("0.0.0.0/0", "::1", false), ("::/0", "192.0.2.1", false),
        ("0.0.0.0/0", "::ffff:192.0.2.1", true), ("192.0.2.0/24", "::ffff:192.0.2.1", true),
        ("::ffff:192.0.2.0/120", "192.0.2.9", true), ("::ffff:0:0/96", "1.2.3.4", true),
        ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::", false),
        ("2001:db8:0:1::/64", "2001:db8:0:1:8000::", true),
        ("2001:db8:0:1::/65", "2001:db8:0:1:8000::", false),
        ("::1", "::1", true), ("::1/128", "::2", false), ("::/0", "fe80::1", true),
        ("fe80::/10", "febf::1", true), ("fe80::/10", "fec0::1", false),
    ])
    func holdTheirAddresses(network: String, address: String, expected: Bool) throws {
        #expect(try contains(network, address) == expected)
    }

    @Test(arguments: [
        "", "/", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/ 24", "192.0.2.0/024x",
        "192.0.2.1/24", "192.0.2/24", "2001:db8::/129", "2001:db8::1/32", "::1/0", "a/8",
        "192.0.2.0/24/24", "192.0.2.0/+8", "::ffff:0:0/95", "::ffff:192.0.2.1/100", "1.2.3.4/0",
    ])
    func thatAreNoneAreRefused(text: String) {
        #expect(IPNetwork(text) == nil)
    }
}
