import Authentication
import FTPProtocol
import LinuxSystem
import Testing

@Suite("What the log tells about a refused login")
struct LoginRefusalTests {
    @Test func everyRefusalHasATextOfItsOwn() {
        let refusals: [LoginRefusal] = [
            .unknownUser, .wrongPassword, .accountExpired, .passwordExpired,
            .denied(rule: "userlist"), .unavailable(reason: "pam_start"),
        ]
        let texts = refusals.map(\.logText)
        #expect(Set(texts).count == refusals.count)
        #expect(texts.allSatisfy { !$0.isEmpty })
        #expect(LoginRefusal.denied(rule: "userlist").logText.contains("userlist"))
        #expect(LoginRefusal.unavailable(reason: "pam_start").logText.contains("pam_start"))
    }

    @Test(arguments: [
        (LoginRefusal.unknownUser, true), (.wrongPassword, true),
        (.denied(rule: "on a list, whatever the password", isGuess: true), true),
        (.denied(rule: "check_shell"), false), (.accountExpired, false),
        (.passwordExpired, false), (.tooManySessions(isTold: true), false),
        (.tooManySessions(isTold: false), false), (.unavailable(reason: "no memory"), false),
    ])
    func whatMayHaveBeenAGuessCountsTowardsABan(refusal: LoginRefusal, counts: Bool) {
        #expect(refusal.isFailedProof == counts)
    }

    @Test(arguments: ["demo", "nobody"])
    func noRefusalOfTheDummyHoldsThePassword(user: String) {
        let authorizer = DummyAuthorizer()
        authorizer.addUser(
            Account(
                name: "demo",
                credentials: .current,
                groups: [],
                home: "/",
                permissions: .all
            ),
            password: Secret(copying: "zebra-right".utf8)
        )
        let refusal = refusal(by: authorizer, user: user)
        #expect(refusal != nil)
        #expect(refusal?.logText.contains("zebra") == false)
        #expect(!String(reflecting: refusal).contains("zebra"))
    }

    @Test func noRefusalOfPAMHoldsThePassword() {
        // Neither the service nor the user exists, so PAM refuses in one way or another.
        let authorizer = UnixAuthorizer(
            .init(service: "portcullis-no-such-service")
        )
        let refusal = refusal(by: authorizer, user: "portcullis-no-such-user")
        #expect(refusal != nil)
        #expect(refusal?.logText.contains("zebra") == false)
        #expect(!String(reflecting: refusal).contains("zebra"))
    }

    private func refusal(by authorizer: any Authorizer, user: String) -> LoginRefusal? {
        do throws(LoginRefusal) {
            _ = try authorizer.authenticate(
                user: user,
                password: Secret(copying: "zebra-wrong".utf8),
                from: .v4(0x7F00_0001)
            )
            return nil
        } catch {
            return error
        }
    }
}
