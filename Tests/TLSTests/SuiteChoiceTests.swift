import Testing

@testable import TLS

@Suite("Lists of suites (ssl_ciphers, openssl-ciphers(1))")
struct SuiteChoiceTests {
    private let all12 = TLSPolicy.Level.intermediate.suites12
    private let all13 = TLSPolicy.Level.intermediate.suites13

    @Test(arguments: ["HIGH", "ALL", "HIGH:!aNULL:!MD5", "ECDHE+AESGCM:ECDHE+CHACHA20", "DEFAULT"])
    func aListOfKindsKeepsThePolicysOrder(list: String) {
        let choice = SuiteChoice(list, TLSPolicy())
        #expect(choice.suites12 == all12)
        #expect(choice.suites13 == all13)
        #expect(!choice.isOrdered)
    }

    @Test func aListOfSuitesHasAnOrderOfItsOwn() {
        let list = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
        let choice = SuiteChoice(list, TLSPolicy())
        #expect(choice.suites12.joined(separator: ":") == list)
        #expect(choice.suites13 == all13)
        #expect(choice.isOrdered)
        #expect(choice.refused.isEmpty)
    }

    @Test func suitesOfTLS13AreChosenByTheirNames() {
        let list = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256"
        let choice = SuiteChoice(list, TLSPolicy())
        #expect(choice.suites12.isEmpty)
        #expect(choice.suites13 == ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"])
        #expect(choice.refused == ["TLS_AES_128_CCM_SHA256"])
        #expect(SuiteChoice("\(list):HIGH", TLSPolicy()).suites12 == all12)
    }

    @Test(arguments: [
        "AES128-SHA", "DES-CBC3-SHA", "ECDHE-RSA-AES256-SHA", "DHE-RSA-AES256-GCM-SHA384", "aNULL",
        "eNULL", "NULL-SHA256:@SECLEVEL=0", "no-such-suite", "HIGH:!HIGH", "!", "@STRENGTH", ":::",
        "AES256-GCM-SHA384", "PSK", "TLS_AES_128_CCM_8_SHA256", "TLS_", "HIGH:@NOTHING",
    ])
    func whatIsWeakerThanThePolicyIsNothing(list: String) {
        let choice = SuiteChoice(list, TLSPolicy())
        #expect(choice.isEmpty)
        #expect(choice.suites12.isEmpty)
    }

    @Test func whatFallsOutIsNamed() {
        let list = "ECDHE-RSA-AES256-GCM-SHA384,AES128-SHA RC4-SHA:@SECLEVEL=0:!MD5"
        let choice = SuiteChoice(list, TLSPolicy())
        #expect(choice.suites12 == ["ECDHE-RSA-AES256-GCM-SHA384"])
        #expect(Set(choice.refused) == ["AES128-SHA", "RC4-SHA", "@SECLEVEL=0"])
        #expect(SuiteChoice("HIGH", TLSPolicy()).refused.contains("AES256-SHA"))
    }

    @Test func aListAddsNothingToAPolicy() {
        let chacha = "ECDHE-RSA-CHACHA20-POLY1305:TLS_CHACHA20_POLY1305_SHA256"
        let fips = SuiteChoice(chacha, TLSPolicy(level: .fips))
        #expect(fips.isEmpty)
        #expect(fips.refused.count == 2)
        let modern = SuiteChoice("HIGH", TLSPolicy(level: .modern))
        #expect(modern.isEmpty)
        #expect(modern.wouldAllow12)
        #expect(!SuiteChoice("AES128-SHA", TLSPolicy(level: .modern)).wouldAllow12)
    }

    @Test func aContextTakesEveryChoice() throws {
        let place = try CertificatePlace()
        for list in ["HIGH", "TLS_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"] {
            var policy = TLSPolicy()
            policy.choice = SuiteChoice(list, policy)
            _ = try place.context(policy: policy)
        }
    }
}
