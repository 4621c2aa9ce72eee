internal import Authentication
internal import Isolation
internal import LinuxSystem

/// A name in a client's certificate that may be the name of its user (`cert_user_field`).
package enum CertificateField: String, CaseIterable, Hashable, Sendable {
    /// The common name, if there is exactly one.
    case commonName = "cn"
    /// An alternative name that is an e-mail address, all of it.
    case email
    /// An alternative name that is a host's.
    case dns
    /// An alternative name that is a URI.
    case uri
    /// An alternative name that is a user principal name, as Active Directory writes it.
    case upn

    /// The users that a certificate with these names belongs to.
    func users(of identities: [String]) -> Set<String> {
        let mark = "\(rawValue):"
        return Set(
            identities.filter { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) }
        )
    }
}

extension Configuration.TLS {
    /// What Wardens ask of clients' certificates.
    func certificateRules(_ anonymous: Configuration.Anonymous) -> CertificateRules {
        var rules = CertificateRules()
        rules.login = certificateLogin
        rules.isDemanded = requiresClientCertificate && provesClientCertificates
        rules.sparesAnonymous = !anonymous.requiresTLSForLogin
        let (field, file) = (certificateField, certificateUsersFile)
        rules.users = { identities in
            let users = field?.users(of: identities) ?? []
            guard let file else { return .success(users) }
            do throws(GuardedFileError) {
                let listed = try CertificateUserFile(at: file).users(of: identities)
                return .success(users.union(listed))
            } catch {
                return .failure(.unavailable(reason: "cert_users_file: \(error.reason)"))
            }
        }
        return rules
    }

    /// Whether clients prove their certificates to their Wardens.
    ///
    /// Not for `require_cert` alone without authorities: the challenge would be the only authority
    /// that a client of TLS 1.2 is told, and some then find no certificate to show.
    var provesClientCertificates: Bool {
        isEnabled
            && (certificateLogin != .off
                || (requiresClientCertificate && validatesClientCertificate))
    }
}
