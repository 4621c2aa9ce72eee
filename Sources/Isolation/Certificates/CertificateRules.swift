package import Authentication

/// What a client's certificate says about who may log in (`cert_auth`).
package enum CertificateLogin: String, CaseIterable, Hashable, Sendable {
    /// Nothing.
    case off
    /// It has to be the user's, beside the password.
    case second
    /// It is enough, without the password.
    case alone
}

/// What a Warden asks of clients' certificates, whatever its Session says.
package struct CertificateRules: Sendable {
    /// What a certificate is good for.
    package var login = CertificateLogin.off

    /// Whether nobody logs in without one that was proved (`require_cert`).
    package var isDemanded = false

    /// Whether anonymous users may do without (`force_anon_logins_ssl=NO`).
    package var sparesAnonymous = false

    /// Finds the users to whom a certificate with these names belongs; asked for each login.
    package var users: @Sendable ([String]) -> Result<Set<String>, LoginRefusal> = { _ in
        .success([])
    }

    /// Creates rules that ask for nothing.
    package init() {}

    /// Whether certificates are proved to the Warden at all.
    package var needsProof: Bool { login != .off || isDemanded }
}
