import Authentication
import FTPProtocol
import LinuxSystem
import Testing

@Suite("Accounts that exist in the program alone")
struct DummyAuthorizerTests {
    private static let peer = IPAddress.v4(0x7F00_0001)

    private func account(_ name: String, home: String = "/srv") -> Account {
        Account(
            name: name,
            credentials: Credentials(user: 1_000, group: 1_001),
            groups: [7],
            home: home,
            permissions: .readOnly
        )
    }

    private func authorizer() -> DummyAuthorizer {
        let authorizer = DummyAuthorizer()
        authorizer.addUser(account("demo"), password: Secret(copying: "right".utf8))
        authorizer.addUser(account("other"), password: Secret(copying: "another".utf8))
        return authorizer
    }

    private func refusal(
        _ authorizer: DummyAuthorizer,
        _ user: String,
        _ password: String
    ) -> LoginRefusal? {
        do throws(LoginRefusal) {
            _ = try authorizer.authenticate(
                user: user,
                password: Secret(copying: password.utf8),
                from: Self.peer
            )
            return nil
        } catch {
            return error
        }
    }

    @Test func theRightPasswordBringsTheAccount() throws {
        let login = try authorizer().authenticate(
            user: "demo",
            password: Secret(copying: "right".utf8),
            from: Self.peer
        )
        #expect(login.account == account("demo"))
        login.end()
    }

    @Test(arguments: ["", "Right", "righ", "right ", "right\0", "another", "rightright"])
    func anyOtherPasswordIsWrong(password: String) {
        #expect(refusal(authorizer(), "demo", password) == .wrongPassword)
    }

    @Test(arguments: ["", "Demo", "demo ", "dem", "nobody"])
    func anyOtherUserIsUnknownWithWhateverPassword(user: String) {
        #expect(refusal(authorizer(), user, "right") == .unknownUser)
        #expect(refusal(authorizer(), user, "") == .unknownUser)
    }

    @Test func aUserWhoIsAddedAgainHasTheNewPassword() {
        let authorizer = authorizer()
        authorizer.addUser(account("demo"), password: Secret(copying: "newer".utf8))
        #expect(refusal(authorizer, "demo", "right") == .wrongPassword)
        #expect(refusal(authorizer, "demo", "newer") == nil)
        #expect(refusal(authorizer, "other", "another") == nil)
    }

    @Test func withoutUsersNobodyIsKnown() {
        #expect(refusal(DummyAuthorizer(), "demo", "") == .unknownUser)
    }
}
