/// Which names clients may give in their handshakes.
package struct ServerNamePolicy: Hashable, Sendable {
    /// The only names that are taken; empty is any (`ssl_sni_hostname`).
    package var expected: Set<String> = []

    /// Whether a client has to give a name that the server knows (`ssl_sni_required`).
    package var isRequired = false

    /// Names that the server knows beside those of its certificates (`host_names`).
    package var known: Set<String> = []

    /// Takes every name, and none.
    package init() {}

    /// What becomes of a handshake.
    package enum Verdict: Hashable, Sendable {
        /// It fails with the alert `unrecognized_name`.
        case refused
        /// It goes on with the certificate for this host; `nil` is the one for all others.
        case host(String?)
    }

    /// Judges a handshake by the name in it.
    ///
    /// A data connection belongs to the host of its control connection: it may leave the name out
    /// and never change it, so that a session of one host is of no use with another.
    ///
    /// - Parameters:
    ///   - offered: What the client said.
    ///   - role: What the connection is for.
    ///   - session: The host that the control connection's handshake or HOST named.
    ///   - hasCertificate: Whether one of the certificates is for a name.
    /// - Returns: What becomes of it.
    package func judge(
        _ offered: OfferedName,
        on role: TLSRole,
        of session: String?,
        hasCertificate: (String) -> Bool
    ) -> Verdict {
        let takesAny = expected.isEmpty && !isRequired
        switch (role, offered) {
        case (.control, .name(let name)):
            // HOST came first, and the certificate of another host would make two hosts of one.
            if let session, session != name { return .refused }
            if !expected.isEmpty, !expected.contains(name) { return .refused }
            let isKnown = expected.contains(name) || known.contains(name) || hasCertificate(name)
            return isRequired && !isKnown ? .refused : .host(name)
        case (.control, .none): return takesAny ? .host(session) : .refused
        case (.control, .invalid): return takesAny && session == nil ? .host(nil) : .refused
        case (.data, .name(let name)):
            return session == nil || session == name ? .host(session) : .refused
        case (.data, .none): return .host(session)
        case (.data, .invalid): return session == nil ? .host(nil) : .refused
        }
    }
}
