import FTPProtocol
import Testing

@testable import Portcullis

@Suite("Who has to resume the control connection's TLS session")
struct ReuseRuleTests {
    private static let inside = IPAddress.v4(0xC000_0207)
    private static let outside = IPAddress.v4(0xC633_6407)

    @Test(
        arguments: [
            (false, nil, .notRequired, .notRequired), (true, nil, .waived(.network), .required),
            (true, false, .waived(.user), .waived(.user)), (true, true, .required, .required),
            (false, true, .required, .required), (false, false, .notRequired, .notRequired),
        ] as [(Bool, Bool?, ReuseRule, ReuseRule)]
    )
    func theUserCountsForMoreThanTheNetwork(
        server: Bool,
        user: Bool?,
        within: ReuseRule,
        without: ReuseRule
    ) throws {
        var tls = Configuration.TLS()
        tls.requiresReuse = server
        tls.requiresReuseOfUser = user
        tls.reuseExemptNetworks = [try #require(IPNetwork("192.0.2.0/24"))]
        #expect(ReuseRule(tls, Self.inside) == within)
        #expect(ReuseRule(tls, Self.outside) == without)
    }

    @Test(arguments: [("YES", true), ("NO", false)])
    func whatIsWrittenForAUserArrives(value: String, isRequired: Bool) throws {
        var base = Configuration()
        base.tls.requiresReuse = !isRequired
        var options = UserOptions(over: base)
        try options.apply(["require_ssl_reuse=\(value)"], from: "test")
        #expect(options.configuration.tls.requiresReuseOfUser == isRequired)
        #expect(options.accepted == ["require_ssl_reuse=\(value)"])
    }
}
