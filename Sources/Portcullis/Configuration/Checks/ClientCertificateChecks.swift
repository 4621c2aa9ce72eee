internal import Authentication
internal import Isolation
internal import LinuxSystem

extension ConfigurationDraft {
    /// Checks what is asked of clients' certificates, and settles whether one is asked for.
    mutating func checkClientCertificates() {
        let tls = configuration.tls
        // In vsftpd a certificate is asked for unless NO is written, so a file from there may say
        // no more than what is demanded of it.
        let needsOne =
            tls.requiresClientCertificate || tls.validatesClientCertificate
            || tls.certificateLogin != .off
        configuration.tls.requestsClientCertificate = requestsCertificate ?? needsOne
        if needsOne, requestsCertificate == false {
            refuse(
                "ssl_request_cert",
                why: "a certificate that is not asked for cannot be demanded or validated",
                mend: "write ssl_request_cert=YES"
            )
        }
        if tls.requiresClientCertificate, !tls.requiredForLogin, !tls.isImplicit {
            refuse(
                "require_cert",
                why: "force_local_logins_ssl=NO lets clients in without TLS, which show none",
                mend: "write force_local_logins_ssl=YES"
            )
        }
        if tls.requiresClientCertificate, !tls.validatesClientCertificate {
            remark(on: "require_cert", "without validate_cert=YES any certificate will do")
        }
        checkAuthorities()
        checkCertificateLogin()
    }

    private mutating func checkCertificateLogin() {
        let tls = configuration.tls
        guard tls.certificateLogin != .off else {
            ignore("cert_user_field", why: "it needs cert_auth=second or cert_auth=alone")
            ignore("cert_users_file", why: "it needs cert_auth=second or cert_auth=alone")
            return
        }
        if tls.certificateField == nil, tls.certificateUsersFile == nil {
            refuse(
                "cert_auth",
                why: "nothing says whose certificate is whose",
                mend: "set cert_user_field or cert_users_file"
            )
        }
        if tls.certificateField != nil, !tls.validatesClientCertificate {
            refuse(
                "cert_user_field",
                why: "without validate_cert=YES anybody may write any name into a certificate",
                mend: "write validate_cert=YES and name the authorities in ca_certs_file"
            )
        }
        checkGuests()
        if let file = tls.certificateUsersFile { checkUsersFile(file) }
    }

    /// Checks that somebody knows which guests there are.
    private mutating func checkGuests() {
        let tls = configuration.tls
        guard tls.certificateLogin == .alone, tls.certificateField != nil,
            configuration.login.makesGuests
        else { return }
        refuse(
            "cert_user_field",
            why: "guest_enable=YES leaves it to the password check who is a guest, and there is"
                + " none with cert_auth=alone: every name in a certificate would be one",
            mend: "name the guests in cert_users_file"
        )
    }

    private mutating func checkUsersFile(_ path: String) {
        do throws(GuardedFileError) {
            let problems = try CertificateUserFile(at: path).problems
            if let first = problems.first {
                remark(on: "cert_users_file", "\(first), and names nobody")
            }
        } catch {
            refuse(
                "cert_users_file",
                why: error.reason,
                mend: "name a file that this account owns and nobody else may write"
            )
        }
    }

    private mutating func checkAuthorities() {
        let tls = configuration.tls
        if let file = tls.authoritiesFile {
            checkVouching(file, of: "ca_certs_file")
            if !tls.validatesClientCertificate {
                remark(on: "ca_certs_file", "only told to clients, as validate_cert=NO")
            }
        } else if tls.validatesClientCertificate {
            refuse(
                "validate_cert",
                why: "there is nobody to vouch for a certificate",
                mend: "name the authorities in ca_certs_file"
            )
        }
        guard let file = tls.revocationsFile else { return }
        guard tls.validatesClientCertificate else {
            refuse(
                "ca_crl_file",
                why: "nothing is held against it, as validate_cert=NO",
                mend: "write validate_cert=YES"
            )
            return
        }
        checkVouching(file, of: "ca_crl_file")
    }

    /// Opens a file that decides who gets in.
    private mutating func checkVouching(_ path: String, of name: String) {
        guard let file = examine(path, of: name) else { return }
        if file.mode & 0o022 != 0 {
            refuse(
                name,
                why: "others than the owner may write the file, and so let anybody in",
                mend: "run chmod go-w on the file"
            )
        } else if file.belongsToOthers {
            refuse(
                name,
                why: "the file belongs to another account, which may so let anybody in",
                mend: "run chown root on the file"
            )
        }
    }
}
