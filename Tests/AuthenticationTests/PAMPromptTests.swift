import Testing

@testable import Authentication

@Suite("What answers a prompt of a PAM module")
struct PAMPromptTests {
    @Test(arguments: ["Password: ", "Verification code: ", "", "New password: "])
    func theFirstHiddenPromptGetsThePassword(text: String) {
        #expect(PAMPrompt(text, isHidden: true, first: nil) == .password)
        #expect(PAMPrompt(text, isHidden: true, first: text) == .password)
    }

    @Test(arguments: ["LDAP Password: ", "password for amy@EXAMPLE: ", "(current) UNIX password: "])
    func anotherQuestionForThePasswordGetsItToo(text: String) {
        #expect(PAMPrompt(text, isHidden: true, first: "Password: ") == .password)
    }

    @Test(arguments: [
        "Verification code: ", "One-time password (OATH) for `amy': ", "OTP password: ", "PIN: ",
        "",
    ])
    func aQuestionForSomethingElseIsForTheClient(text: String) {
        #expect(PAMPrompt(text, isHidden: true, first: "Password: ") == .code)
    }

    @Test(arguments: ["New password: ", "Retype new UNIX password: "])
    func nobodyChoosesANewPasswordUnseen(text: String) {
        #expect(PAMPrompt(text, isHidden: true, first: "Password: ") == .unanswerable)
    }

    @Test func aVisibleQuestionGetsTheNameOrIsForTheClient() {
        #expect(PAMPrompt("login: ", isHidden: false, first: nil) == .userName)
        #expect(PAMPrompt("User name: ", isHidden: false, first: "Password: ") == .userName)
        #expect(PAMPrompt("Verification code: ", isHidden: false, first: nil) == .code)
    }
}

@Suite("What a client is told of a refused login")
struct RefusalNoticeTests {
    @Test func everythingLooksTheSameUnlessThePasswordWasRight() {
        let refusals: [LoginRefusal] = [
            .unknownUser, .wrongPassword, .denied(rule: "x"), .unavailable(reason: "x"),
        ]
        #expect(Set(refusals.map(\.notice)) == [.incorrect])
        #expect(RefusalNotice.incorrect.text == "Login incorrect.")
        #expect(LoginRefusal.tooManySessions(isTold: true).notice == .tooManySessions)
        #expect(LoginRefusal.tooManySessions(isTold: false).notice == .incorrect)
        #expect(LoginRefusal.accountExpired.notice == .accountExpired)
        #expect(LoginRefusal.passwordExpired.notice == .passwordExpired)
    }
}
