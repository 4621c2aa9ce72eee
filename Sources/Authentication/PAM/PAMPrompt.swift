/// What answers a prompt of a PAM module.
///
/// FTP has one place for a password and, behind reply 332, one for something more. Modules only say
/// what they want in words, and whether the answer may be shown.
enum PAMPrompt: Hashable, Sendable {
    /// The password that came with PASS.
    case password
    /// The name that came with USER.
    case userName
    /// Something more, which the client is asked for (ACCT).
    case code
    /// Nothing that a client could send.
    case unanswerable

    /// Tells what a prompt asks for.
    ///
    /// The first hidden prompt gets the password whatever it says, so that a stack with nothing but
    /// a one-time code works with PASS alone. Later ones get it when they ask for the same in the
    /// same words, or for a password that is not a one-time one.
    ///
    /// - Parameters:
    ///   - text: The prompt.
    ///   - isHidden: Whether the answer must not be shown (PAM_PROMPT_ECHO_OFF).
    ///   - first: The first hidden prompt of this login, if there was one.
    init(_ text: String, isHidden: Bool, first: String?) {
        let words = text.lowercased()
        func names(_ anyOf: String...) -> Bool { anyOf.contains { words.contains($0) } }
        guard isHidden else {
            self = names("login", "user") ? .userName : .code
            return
        }
        guard let first else {
            self = .password
            return
        }
        if text == first {
            self = .password
        } else if names("new password", "retype") {
            // A module wants to change the password, and guessing would set one nobody knows.
            self = .unanswerable
        } else if names("password"), !names("one-time", "one time", "otp", "code", "token") {
            self = .password
        } else {
            self = .code
        }
    }
}
