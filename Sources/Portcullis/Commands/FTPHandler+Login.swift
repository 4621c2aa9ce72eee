internal import Authentication
internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import LinuxSystem
internal import Logging
internal import TLS

// USER and PASS (RFC 959 section 4.1.1).

extension FTPHandler {
    /// The longest password, in bytes.
    private static let maximumPasswordByteCount = 512

    final func setUser(_ argument: [UInt8]) throws(SessionEnd) {
        let shown = String(validating: argument, as: UTF8.self)
        if let refusal = refusalOfLogin(of: shown) {
            try countError()
            try reply(refusal)
            return
        }
        guard login == nil else {
            try reply(530, "Can't change to another user.")
            return
        }
        guard let name = shown,
            UserName.isAcceptable(name)
        else {
            try countError()
            try reply(501, "Bad user name.")
            return
        }
        userName = name
        let anonymous = configuration.anonymous
        if anonymous.isEnabled, AnonymousAuthorizer.isAnonymous(name) {
            if anonymous.needsNoPassword {
                try checkPassword([])
            } else {
                try reply(331, "Please send your e-mail address as the password.")
            }
            return
        }
        if mayAdmitByCertificate, try isAdmitted(name) { return }
        // The same answer for every name, so that nobody learns which accounts exist.
        try reply(331, "Please specify the password.")
    }

    /// Tries the certificate in place of a password; `false` when the password is asked for.
    private func isAdmitted(_ user: String) throws(SessionEnd) -> Bool {
        let outcome: LoginOutcome
        do throws(WardenGone) {
            outcome = try warden.admit(user: user, limit: settings.configuration.login.limit)
        } catch {
            throw .processGone
        }
        if outcome.asksForPassword { return false }
        userName = nil
        // RFC 2228 section 5.
        try conclude(user, outcome, code: 232)
        return true
    }

    final func checkPassword(_ argument: [UInt8]) throws(SessionEnd) {
        guard login == nil else {
            try reply(503, "Already logged in.")
            return
        }
        guard pendingUser == nil else {
            try reply(503, "Send the one-time code by ACCT, or USER to start over.")
            return
        }
        guard let user = userName.take() else {
            if let refusal = refusalOfLogin(of: nil) {
                try reply(refusal)
            } else {
                try reply(503, "Login with USER first.")
            }
            return
        }
        guard argument.count <= Self.maximumPasswordByteCount else {
            try countError()
            try reply(501, "Password too long.")
            return
        }
        let outcome: LoginOutcome
        do throws(WardenGone) {
            outcome = try warden.authenticate(
                user: user,
                password: Secret(copying: argument),
                isClear: !control.stream.isTLS,
                limit: settings.configuration.login.limit
            )
        } catch {
            throw .processGone
        }
        try conclude(user, outcome)
    }

    /// Tells the client how a login went.
    final func conclude(
        _ user: String,
        _ outcome: consuming LoginOutcome,
        code: UInt16 = 230
    ) throws(SessionEnd) {
        // The Warden has written how it went.
        audited = nil
        switch consume outcome {
        // Asked for where it has not been given yet, and nowhere else.
        case .needsPassword: throw .processGone
        case .needsAccount:
            pendingUser = user
            try reply(332, "Need account for login: send the one-time code by ACCT.")
        case .timedOut:
            try reply(421, "The login took too long; please try again later.")
            throw .loginTimedOut
        case .granted(let grant):
            try beginLogin(user, grant)
            try prepareForDataConnection()
            let words = configuration.session.loginMessage ?? "Login successful."
            let message = try takeDirectoryMessage()
            try reply(Reply(code, lines: message + Reply(code, text: words).lines))
            onLogin(user: user)
        case .refused(let notice, let isLast):
            try reply(530, notice.text)
            onLoginFailed(user: user)
            if isLast { throw .tooManyFailures }
        }
    }
}
