internal import COpenSSL

/// The suites that a list of OpenSSL's asks for, as far as a policy has them (`ssl_ciphers`).
///
/// The list only ever takes away: what is not in the policy is never offered, whatever the list
/// says of it, and neither is a lower security level (`@SECLEVEL`).
package struct SuiteChoice: Hashable, Sendable {
    /// The suites of TLS 1.2, the preferred first.
    package let suites12: [String]

    /// The suites of TLS 1.3, the preferred first.
    ///
    /// A list without any leaves those of the policy: OpenSSL's lists, and so vsftpd's, are about
    /// TLS 1.2 and below.
    package let suites13: [String]

    /// Whether the order is the list's, and not the policy's.
    package let isOrdered: Bool

    /// What the list asks for and does not get.
    package let refused: [String]

    /// Whether the list gets nothing of what it asks for.
    package let isEmpty: Bool

    /// Whether the list names suites that were good enough if TLS 1.2 were offered.
    package let wouldAllow12: Bool

    /// The only kind of key that the suites of TLS 1.2 are for; `nil` when there are more.
    package var keyType: String? {
        guard !suites12.isEmpty else { return nil }
        if suites12.allSatisfy({ $0.hasPrefix("ECDHE-RSA-") }) { return "RSA" }
        return suites12.allSatisfy { $0.hasPrefix("ECDHE-ECDSA-") } ? "EC" : nil
    }

    /// Reads `list` in the syntax of openssl-ciphers(1) and holds it against `policy`.
    package init(_ list: String, _ policy: TLSPolicy) {
        let words = list.split { [":", ",", " ", ";"].contains($0) }.map(String.init)
        let words13 = words.filter(Self.isSuite13)
        let others = words.filter { !Self.isSuite13($0) }
        let expanded = Self.expand(others.joined(separator: ":"))

        let approved = TLSPolicy.Level.intermediate.suites12
        let offered12 = policy.allows12 ? policy.level.suites12 : []
        let offered13 = policy.allows13 ? policy.level.suites13 : []
        // Only who writes whole names says in which order; HIGH and the like say what.
        isOrdered = !words13.isEmpty || words.contains(where: approved.contains)
        let isListed12 = words.contains(where: approved.contains)
        suites12 =
            isListed12
            ? expanded.filter(offered12.contains) : offered12.filter(expanded.contains)
        let chosen13 = Self.unique(words13.filter(offered13.contains))
        suites13 = words13.isEmpty ? policy.level.suites13 : chosen13
        isEmpty = suites12.isEmpty && chosen13.isEmpty
        wouldAllow12 = expanded.contains(where: approved.contains)

        let unknown = others.filter { word in
            guard let first = word.first, !"!-+@".contains(first) else { return false }
            return Self.expand(word).isEmpty
        }
        let weaker = ["@SECLEVEL=0", "@SECLEVEL=1"].filter { list.contains($0) }
        refused = Self.unique(
            words13.filter { !offered13.contains($0) } + unknown + weaker
                + expanded.filter { !offered12.contains($0) }
        )
    }

    /// TLS 1.3 has names of its own, without the kind of key (RFC 8446 appendix B.4).
    private static func isSuite13(_ word: String) -> Bool {
        word.hasPrefix("TLS_") && !word.contains("_WITH_")
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// The suites of TLS 1.2 and below that OpenSSL takes a list for, in its order.
    private static func expand(_ list: String) -> [String] {
        guard !list.isEmpty else { return [] }
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { return [] }
        defer { unsafe SSL_CTX_free(context) }
        guard unsafe SSL_CTX_set_cipher_list(context, list) == 1,
            let suites = unsafe SSL_CTX_get_ciphers(context)
        else { return [] }
        return (0..<max(0, unsafe COpenSSL_sk_SSL_CIPHER_num(suites))).compactMap { index in
            guard let suite = unsafe COpenSSL_sk_SSL_CIPHER_value(suites, index),
                let name = unsafe SSL_CIPHER_get_name(suite)
            else { return nil }
            let text = unsafe String(cString: name)
            // OpenSSL puts the suites of TLS 1.3 before every list.
            return isSuite13(text) ? nil : text
        }
    }
}
