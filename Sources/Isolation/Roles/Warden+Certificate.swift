internal import Authentication
internal import FTPProtocol
internal import LinuxSystem
internal import Logging

/// What a login rests on.
enum LoginProof {
    /// A password, which may not be enough.
    case password(LoginAttempt)
    /// The certificate, which was proved to belong to the user.
    case certificate

    /// Overwrites the password.
    func wipe() {
        guard case .password(let attempt) = self else { return }
        attempt.password.wipe()
    }
}

// What a client's certificate is good for. The Session says nothing here that is believed: it hands
// over a handshake that the client has signed together with this Warden's challenge.

extension Warden {
    /// Has the handshake checked in which the client showed its certificate, once.
    func take(_ recording: [UInt8]) throws(SystemError) {
        guard certificate == nil, settings.certificates.needsProof, let certificateCheck else {
            // Ours shows it once, right after the handshake.
            logger.error("session ended: a certificate was shown out of turn")
            isOver = true
            return
        }
        // The process that looks at it is forked from this one.
        forgetSharedPages()
        let finding = VerifierRole.run(
            certificateCheck,
            recording,
            challenge: challenge,
            settings: settings
        )
        certificate = finding
        switch finding {
        case .proved(let subject, let identities, _, _):
            logger.info(
                "client certificate proved",
                metadata: [
                    "subject": .string(LogText.value(subject.utf8)),
                    "certificate": .string(LogText.value((identities.first ?? "").utf8)),
                ]
            )
            try channel.send(WardenReply.certificate(isProved: true).encoded)
        case .refused(let reason):
            let shown = LogText.escaped(Array(reason.utf8), isQuoted: false)
            logger.warning("client certificate proves nothing: \(shown)")
            try channel.send(WardenReply.certificate(isProved: false).encoded)
        }
    }

    /// Lets a user in by the certificate alone (`cert_auth=alone`), or asks for the password.
    func admit(_ user: String) throws(SystemError) {
        var isOwner = false
        // Whoever asks for every name costs no more than who asks for one.
        if settings.certificates.login == .alone, isCertificateProved, certificateQuestionsLeft > 0
        {
            certificateQuestionsLeft -= 1
            do throws(LoginRefusal) {
                isOwner = try usersOfCertificate().contains(user)
            } catch {
                logger.error("certificate not looked up: \(error.logText)")
            }
        }
        guard isOwner else {
            try channel.send(WardenReply.needsPassword.encoded)
            return
        }
        try logIn(user, by: .certificate)
    }

    /// Holds the certificate against an account that the password, or the certificate, has opened.
    func checkCertificate(
        for account: Account,
        _ proof: LoginProof
    ) throws(LoginRefusal) {
        let rules = settings.certificates
        guard rules.needsProof else { return }
        let isAnonymous = account.kind == .anonymous
        if rules.isDemanded, !isCertificateProved, !(isAnonymous && rules.sparesAnonymous) {
            throw .denied(rule: "require_cert: no certificate was proved")
        }
        // Nobody in particular has no certificate that would be theirs.
        if isAnonymous { return }
        switch (rules.login, proof) {
        case (.off, _): return
        // Where no certificate is demanded, the password stands in for it.
        case (.alone, .password) where !rules.isDemanded: return
        case (.alone, _), (.second, _): break
        }
        // By the name that the check found: PAM may know the user by another one.
        guard try usersOfCertificate().contains(account.name) else {
            throw .denied(rule: "cert_auth: no certificate of the user's was proved")
        }
    }

    /// What the log says a login rests on.
    func proofText(_ proof: LoginProof, for account: Account) -> String {
        switch (proof, settings.certificates.login) {
        case (.certificate, _): "certificate"
        case (.password, .second) where account.kind != .anonymous: "password and certificate"
        case (.password, _): "password"
        }
    }

    private var isCertificateProved: Bool {
        if case .proved = certificate { true } else { false }
    }

    private func usersOfCertificate() throws(LoginRefusal) -> Set<String> {
        guard case .proved(_, let identities, _, _) = certificate else { return [] }
        return try settings.certificates.users(identities).get()
    }
}
