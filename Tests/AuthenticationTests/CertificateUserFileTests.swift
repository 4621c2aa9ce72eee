import Testing

@testable import Authentication

@Suite("Whose certificate is whose")
struct CertificateUserFileTests {
    private func users(_ text: String, _ identities: String...) -> Set<String> {
        CertificateUserFile(Array(text.utf8)).users(of: identities)
    }

    @Test func everyKindOfNameFindsItsUsers() {
        let digits = String(repeating: "AB:", count: 31) + "ab"
        let text = """
            # comment
              alice   sha256:\(digits)
            bob\tSubject: CN=Bob Builder,O=Example
            bob email:bob@example.org\r
            carol email:bob@example.org
            """
        #expect(users(text, "sha256:" + String(repeating: "ab", count: 32)) == ["alice"])
        #expect(users(text, "subject:CN=Bob Builder,O=Example") == ["bob"])
        #expect(users(text, "email:bob@example.org") == ["bob", "carol"])
        #expect(users(text, "cn:nobody", "dns:nobody") == [])
    }

    @Test func signsWithAnAccentAreTheseSignsAllTheSame() {
        #expect(users("alice \u{30F} cn:bob", "cn:bob") == [])
        #expect(users("#\u{30F}alice cn:bob", "cn:bob") == [])
        #expect(users("alice cn:\u{30F}bob", "cn:\u{30F}bob") == ["alice"])
    }

    @Test func aNameOfOneKindIsNoneOfAnother() {
        #expect(users("alice cn:alice", "dns:alice", "email:alice", "subject:alice") == [])
        #expect(users("alice cn:Alice", "cn:alice") == [])
    }

    @Test(arguments: [
        "alice", "alice sha256:abcd", "alice sha256:", "alice key:x", "alice cn:", "cn:alice",
        "alice \u{FF}", "alice sha256:\(String(repeating: "g", count: 64))",
    ])
    func aLineThatMakesNoSenseNamesNobodyAndIsReported(line: String) {
        let file = CertificateUserFile(Array("\(line)\nbob cn:bob\n".utf8))
        #expect(file.problems.map(\.line) == [1])
        #expect(file.users(of: ["cn:bob"]) == ["bob"])
        #expect(file.users(of: ["cn:alice", "cn:"]) == [])
    }
}
