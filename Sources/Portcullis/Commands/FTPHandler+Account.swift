internal import FTPProtocol
internal import Isolation
internal import LinuxSystem

// ACCT: what is asked besides the password (RFC 959 section 4.1.1).

extension FTPHandler {
    /// The longest answer, in bytes.
    private static let maximumAnswerByteCount = 512

    final func giveAccount(_ argument: [UInt8]) throws(SessionEnd) {
        guard login == nil else {
            try reply(202, "No account is needed.")
            return
        }
        guard let user = pendingUser.take() else {
            try countError()
            try reply(503, "Login with USER and PASS first.")
            return
        }
        guard argument.count <= Self.maximumAnswerByteCount else {
            pendingUser = user
            try countError()
            try reply(501, "The answer is too long.")
            return
        }
        let outcome: LoginOutcome
        do throws(WardenGone) {
            outcome = try warden.answer(
                Secret(copying: argument),
                limit: settings.configuration.login.limit
            )
        } catch {
            throw .processGone
        }
        try conclude(user, outcome)
    }

    /// Gives up a login that waits for an answer, before a command that begins another one.
    ///
    /// It counts as refused, or a guess at a password would cost nothing.
    final func giveUpLogin(for verb: Verb) throws(SessionEnd) {
        guard pendingUser != nil, [.user, .rein, .auth, .host].contains(verb) else { return }
        pendingUser = nil
        let outcome: LoginOutcome
        do throws(WardenGone) {
            outcome = try warden.giveUp(limit: settings.configuration.login.limit)
        } catch {
            throw .processGone
        }
        switch consume outcome {
        case .refused(_, let isLast):
            guard isLast else { return }
            try reply(530, "Login incorrect.")
            throw .tooManyFailures
        // Nobody answered, so nobody got in.
        default: throw .processGone
        }
    }
}

extension Configuration.Login {
    /// How long the outcome of a login is awaited, the delays before it included.
    var limit: Duration { checkTimeout + failureDelay + successDelay + .seconds(1) }
}
