internal import FTPProtocol
internal import Isolation
internal import TLS

/// What a configuration means for those who depend on it, in words.
package enum SecurityPosture {
    /// A few plain lines for the log at start and for `check-config`.
    ///
    /// A line about something that an auditor would object to begins with `WARNING: `.
    package static func lines(for configuration: Configuration) -> [String] {
        [inheritedSockets] + encryption(configuration)
            + proxies(configuration.listening.proxyNetworks) + logins(configuration)
            + dataConnections(configuration) + limits(configuration)
            + audit(configuration.logs.audit)
    }

    /// Nobody knows here whether there will be any.
    private static let inheritedSockets =
        "sockets that the service manager hands over (LISTEN_FDS) take the place of listen,"
        + " listen_ipv6, listen_address, listen_address6, listen_port, implicit_listen_port and"
        + " plain_listen_port"

    /// Says whom plain FTP is for.
    private static func plainFallback(_ configuration: Configuration) -> [String] {
        let tls = configuration.tls
        let networks =
            tls.plainNetworks.isEmpty
            ? "plain FTP is served to every network (plain_ftp_networks)"
            : "plain FTP is served to plain_ftp_networks alone"
        // Where only anonymous users may do without TLS, no account of the system can.
        let isForEverybody = !tls.isEnabled || !tls.requiredForLogin || !tls.requiredForData
        guard isForEverybody || configuration.listening.plainPort != nil else {
            return [networks]
        }
        return [
            networks,
            tls.takesPlainSystemLogins
                ? "WARNING: plain_system_logins=YES: passwords of system accounts cross the network in clear"
                : "system accounts do not log in in clear (plain_system_logins=NO)",
        ]
    }

    /// Says whether anything can cross the network in clear.
    private static func encryption(_ configuration: Configuration) -> [String] {
        let tls = configuration.tls
        let anonymous = configuration.anonymous
        guard tls.isEnabled else {
            return [
                "WARNING: ssl_enable=NO is plain FTP: every password and every file crosses the"
                    + " network in clear"
            ] + plainFallback(configuration)
        }
        var lines: [String] = []
        if tls.isImplicit {
            lines.append("control connections: TLS from the first byte (implicit_ssl=YES)")
        } else if tls.requiredForLogin {
            let exception = exceptions(configuration, anonymous: anonymous.mayLogInClear)
            lines.append(
                "control connections: TLS is required before a user name is taken\(exception)"
            )
        } else {
            lines.append(
                "WARNING: force_local_logins_ssl=NO is plain FTP for whoever asks for no TLS:"
                    + " passwords may cross the network in clear"
            )
        }
        if let port = configuration.listening.implicitPort, !tls.isImplicit {
            lines.append("port \(port): TLS from the first byte (implicit_listen_port)")
        }
        if let port = configuration.listening.plainPort {
            lines.append(
                "WARNING: port \(port): plain FTP for whoever asks for no TLS (plain_listen_port):"
                    + " passwords and files may cross the network in clear"
            )
        }
        if configuration.permitsPlainFTP {
            lines += plainFallback(configuration)
        }
        if tls.requiredForData {
            let exception = exceptions(configuration, anonymous: anonymous.mayTransferInClear)
            lines.append("data connections: TLS is required\(exception)")
        } else {
            lines.append(
                "WARNING: force_local_data_ssl=NO lets a client choose: files may cross the"
                    + " network in clear"
            )
        }
        let versions = [tls.allows12 ? "1.2" : nil, tls.allows13 ? "1.3" : nil].compactMap(\.self)
        let names = versions.isEmpty ? "none" : versions.joined(separator: " and ")
        lines.append(
            "TLS versions: \(names), AEAD suites with forward secrecy only"
                + " (ssl_policy=\(tls.policy.rawValue))"
        )
        if tls.policy == .fips {
            lines.append(
                FIPSModule.isInstalled
                    ? "cryptography: OpenSSL's FIPS module (ssl_policy=fips)"
                    : "WARNING: ssl_policy=fips: this system's OpenSSL has no FIPS module, so approved"
                        + " algorithms are offered and nothing validated computes them"
            )
        }
        lines += clientCertificates(tls) + certificateLogins(tls)
        if !tls.strictReadEOF {
            lines.append(
                "WARNING: strict_ssl_read_eof=NO takes an upload that somebody cut short for a"
                    + " whole one"
            )
        }
        return lines
    }

    /// Says of whom TLS is not required where it is of others.
    private static func exceptions(
        _ configuration: Configuration,
        anonymous isForAnonymous: Bool
    ) -> String {
        let exceptions = [
            isForAnonymous ? "for anonymous users" : nil,
            configuration.listening.plainPort == nil ? nil : "on the port for plain FTP",
        ].compactMap(\.self)
        return exceptions.isEmpty ? "" : ", but \(exceptions.joined(separator: " and "))"
    }

    /// Says whose word is taken for a client's address.
    private static func proxies(_ networks: [IPNetwork]) -> [String] {
        guard !networks.isEmpty else { return [] }
        let line = "clients behind proxy_networks have the addresses that these tell"
        // 10.0.0.0/8 and fc00::/7 are the widest networks that somebody has to themselves.
        let wide = networks.filter { $0.prefixLength < ($0.address.family == .ipv4 ? 8 : 7) }
        guard !wide.isEmpty else { return [line] }
        let names = wide.map { "\($0.address)/\($0.prefixLength)" }.joined(separator: ", ")
        return [
            line,
            "WARNING: proxy_networks takes the word of anybody in \(names): whoever can connect may"
                + " claim any address, and so escape limits, bans and address rules",
        ]
    }

    /// Says what a certificate is good for at the login, where it is anything.
    private static func certificateLogins(_ tls: Configuration.TLS) -> [String] {
        switch tls.certificateLogin {
        case .off: []
        case .second: ["logins: the password and a certificate of the user's (cert_auth=second)"]
        case .alone:
            tls.requiresClientCertificate
                ? ["logins: by a certificate of the user's alone (cert_auth=alone)"]
                : ["logins: by a certificate of the user's, or the password (cert_auth=alone)"]
        }
    }

    /// Says what is asked of clients' certificates, where anything is.
    private static func clientCertificates(_ tls: Configuration.TLS) -> [String] {
        guard tls.requestsClientCertificate else { return [] }
        let demand = tls.requiresClientCertificate ? "required" : "asked for"
        guard tls.validatesClientCertificate else {
            guard tls.requiresClientCertificate else {
                return ["client certificates: \(demand), and not validated"]
            }
            return [
                "WARNING: require_cert=YES with validate_cert=NO takes any certificate, also one"
                    + " that its holder has made"
            ]
        }
        let revoked =
            tls.revocationsFile == nil ? "no list of revoked ones" : "revoked ones refused"
        return ["client certificates: \(demand), vouched for by ca_certs_file, \(revoked)"]
    }

    /// Says who may log in, and what they see of the host.
    private static func logins(_ configuration: Configuration) -> [String] {
        var lines: [String] = []
        let (login, anonymous) = (configuration.login, configuration.anonymous)
        if login.localUsers {
            switch login.jail {
            case .everybody: lines.append("system accounts: jailed in their own directories")
            case .allBut(let file):
                lines.append(
                    "WARNING: users listed in \(file.shownInOneLine) see the whole file system"
                        + " (chroot_list_enable=YES)"
                )
            case .only, .nobody:
                lines.append(
                    "WARNING: chroot_local_user=NO lets users see the whole file system of the"
                        + " host, as far as their accounts may"
                )
            }
        }
        guard anonymous.isEnabled else { return lines }
        lines.append("anonymous users: let in, as the account \(anonymous.userName.shownInOneLine)")
        if configuration.files.allowsWriting, anonymous.allowsUpload {
            lines.append("WARNING: anon_upload_enable=YES lets anybody store files")
        }
        let tls = configuration.tls
        if tls.isEnabled, !tls.isImplicit, anonymous.mayLogInClear {
            lines.append(
                "WARNING: force_anon_logins_ssl=NO is plain FTP for anonymous users who ask for no"
                    + " TLS: what they send and are told may cross the network in clear"
            )
        }
        if tls.isEnabled, anonymous.mayTransferInClear {
            lines.append(
                "WARNING: force_anon_data_ssl=NO lets files of anonymous users cross the network"
                    + " in clear"
            )
        }
        return lines
    }

    /// Says who may open a data connection, and to where the server opens one.
    private static func dataConnections(_ configuration: Configuration) -> [String] {
        var lines = proofOfDataConnections(configuration)
        let (passive, active) = (configuration.passive, configuration.active)
        if passive.isEnabled {
            let address = passive.address.map { ", announced as \($0.shownInOneLine)" } ?? ""
            lines.append(
                "passive ports: \(passive.minimumPort) to \(passive.maximumPort)\(address)"
            )
        } else {
            lines.append("passive ports: none (pasv_enable=NO)")
        }
        if active.isEnabled, active.allowsPrivilegedPorts, !active.isPromiscuous {
            lines.append(
                "active connections may lead to ports below 1024 (permit_privileged_ports)"
            )
        }
        if active.isEnabled, active.isPromiscuous {
            lines.append(
                "WARNING: port_promiscuous=YES or permit_foreign_addresses=YES lets a user make this"
                    + " server connect to any address"
            )
        }
        return lines
    }

    private static func proofOfDataConnections(_ configuration: Configuration) -> [String] {
        let (tls, passive) = (configuration.tls, configuration.passive)
        let anyAddress = passive.isEnabled && passive.takesForeignAddresses
        let option =
            passive.isPromiscuous
            ? "pasv_promiscuous=YES"
            : "pasv_promiscuous_networks"
        let who = passive.isPromiscuous ? "anyone" : "anyone in those networks"
        guard tls.isEnabled, tls.requiresReuse else {
            guard anyAddress else {
                let proofs =
                    tls.isEnabled
                    ? "by a resumed TLS session, the same client certificate, or the address"
                    : "by the client's address alone"
                return ["data connections belong to their session \(proofs)"]
            }
            let cause = tls.isEnabled ? "require_ssl_reuse=NO" : "ssl_enable=NO"
            return [
                "WARNING: \(option) with \(cause): \(who) who can reach the port may"
                    + " take a transfer"
            ]
        }
        var lines = [
            "data connections belong to their session by a resumed TLS session or the same"
                + " client certificate (require_ssl_reuse=YES)"
        ]
        if !tls.reuseExemptNetworks.isEmpty {
            let networks = tls.reuseExemptNetworks.map { "\($0.address)/\($0.prefixLength)" }
            lines.append(
                "WARNING: ssl_reuse_exempt_networks takes a client's address for proof enough from"
                    + " \(networks.joined(separator: ", "))"
            )
        }
        if anyAddress {
            let causes = [
                tls.requiredForData ? nil : "force_local_data_ssl=NO",
                configuration.listening.plainPort == nil ? nil : "plain_listen_port",
            ].compactMap(\.self)
            lines.append(
                causes.isEmpty
                    ? "\(option) is safe here: the TLS session proves who connects"
                    : "WARNING: \(option) with \(causes.joined(separator: " and ")): \(who) who can"
                        + " reach the port may take a transfer in clear"
            )
        }
        return lines
    }

    /// Says what users and clients may do, and what confines the processes.
    private static func limits(_ configuration: Configuration) -> [String] {
        let (listening, files) = (configuration.listening, configuration.files)
        let total = amount(listening.maximumClients)
        let each = amount(listening.maximumClientsPerAddress)
        let tries = configuration.login.maximumFailures
        return [
            files.allowsWriting
                ? "writing: allowed (write_enable=YES)" : "writing: refused (write_enable=NO)",
            "limits: clients \(total), from one address \(each), failed logins \(tries)",
            systemCalls(configuration.session),
            configuration.session.confinesPAM
                ? "PAM: runs with few of root's rights (pam_sandbox=YES)"
                : "WARNING: pam_sandbox=NO leaves all of root's rights to the processes that run PAM",
        ]
    }

    private static func systemCalls(_ session: Configuration.Session) -> String {
        switch session.systemCalls {
        case .enforced: "system calls: filtered in every process"
        case .reported:
            "WARNING: seccomp_report=YES is for development: it leaves every system call to a"
                + " process that is taken over, and the kernel's log tells of it"
        case .unfiltered:
            "WARNING: seccomp_sandbox=NO leaves every system call to a process that is taken over"
        }
    }

    private static func amount(_ limit: Int) -> String {
        limit == 0 ? "without limit" : String(limit)
    }
}
