import Testing

@testable import TLS

@Suite("The host that a client names, RFC 6066 section 3")
struct ServerNameTests {
    private static func wire(_ name: String, type: UInt8 = 0) -> [UInt8] {
        let bytes = Array(name.utf8)
        return [0, UInt8(bytes.count + 3), type, 0, UInt8(bytes.count)] + bytes
    }

    @Test func aNameIsReadInItsOneForm() {
        #expect(OfferedName(Self.wire("ftp.example.org")) == .name("ftp.example.org"))
        #expect(OfferedName(Self.wire("FTP.Example.ORG.")) == .name("ftp.example.org"))
    }

    @Test func anAddressCountsAsNoName() {
        for address in ["192.0.2.1", "[2001:db8::1]"] {
            #expect(OfferedName(Self.wire(address)) == .none)
        }
    }

    @Test(
        arguments: [
            [], [0], [0, 1], [0, 0, 0, 0, 0], Self.wire(""), Self.wire("a", type: 1),
            Self.wire("a") + [0], Array(Self.wire("ab").dropLast()), [0, 4, 0, 0, 2, 0x61],
            [0, 4, 0, 0xFF, 0xFF, 0x61], [0, 4, 0, 0, 1, 0], Self.wire(".example.org"),
            Self.wire("a..b"), Self.wire("a b"), Self.wire("*.example.org"), Self.wire("a/../b"),
            Self.wire("é"), Self.wire("1.2.3.4.5"),
        ] as [[UInt8]]
    )
    func nothingElseIsAName(content: [UInt8]) {
        #expect(OfferedName(content) == .invalid)
    }

    @Test func withoutAPolicyEveryNameIsTaken() {
        let policy = ServerNamePolicy()
        let never = { (_: String) in false }
        #expect(policy.judge(.none, on: .control, of: nil, hasCertificate: never) == .host(nil))
        #expect(
            policy.judge(.name("a"), on: .control, of: nil, hasCertificate: never) == .host("a")
        )
        #expect(policy.judge(.invalid, on: .control, of: nil, hasCertificate: never) == .host(nil))
        // HOST came first.
        #expect(policy.judge(.none, on: .control, of: "a", hasCertificate: never) == .host("a"))
        #expect(
            policy.judge(.name("b"), on: .control, of: "a", hasCertificate: never) == .refused
        )
    }

    @Test func onlyTheExpectedNamesAreTaken() {
        var policy = ServerNamePolicy()
        policy.expected = ["a", "b"]
        for (offered, isTaken) in [
            (OfferedName.name("a"), true), (.name("b"), true), (.name("c"), false), (.none, false),
            (.invalid, false),
        ] {
            let verdict = policy.judge(offered, on: .control, of: nil) { _ in true }
            #expect((verdict != .refused) == isTaken, "\(offered)")
        }
    }

    @Test func aRequiredNameMustBeKnown() {
        var policy = ServerNamePolicy()
        policy.isRequired = true
        policy.known = ["known"]
        for (offered, isTaken) in [
            (OfferedName.name("known"), true), (.name("certified"), true), (.name("other"), false),
            (.none, false), (.invalid, false),
        ] {
            let verdict = policy.judge(offered, on: .control, of: nil) { $0 == "certified" }
            #expect((verdict != .refused) == isTaken, "\(offered)")
        }
    }

    @Test(arguments: [false, true])
    func aDataConnectionStaysWithItsHost(isRequired: Bool) {
        var policy = ServerNamePolicy()
        policy.isRequired = isRequired
        for (offered, session, verdict) in [
            (OfferedName.none, "a", ServerNamePolicy.Verdict.host("a")),
            (.name("a"), "a", .host("a")), (.name("b"), "a", .refused), (.invalid, "a", .refused),
            (.none, nil, .host(nil)), (.name("b"), nil, .host(nil)), (.invalid, nil, .host(nil)),
        ] as [(OfferedName, String?, ServerNamePolicy.Verdict)] {
            let given = policy.judge(offered, on: .data, of: session) { _ in true }
            #expect(given == verdict, "\(offered) with \(session ?? "none")")
        }
    }
}
