extension ConfigurationDraft {
    /// Checks who may do without TLS, and where.
    mutating func checkPlainFTP() {
        if !configuration.permitsPlainFTP {
            remark(
                on: "plain_ftp_networks",
                "TLS is required of everybody, so it restricts nothing"
            )
        }
        let listening = configuration.listening
        guard configuration.tls.isEnabled else { return }
        if let port = listening.plainPort, port != 0 {
            let same = [
                ("listen_port", listening.port), ("implicit_listen_port", listening.implicitPort),
            ].first { $0.1 == port }
            if let same {
                refuse(
                    "plain_listen_port",
                    why: "it is the same as \(same.0)",
                    mend: "write another port, as TLS stays required there"
                )
            }
        }
        if configuration.tls.requiresClientCertificate, listening.plainPort != nil {
            refuse(
                "require_cert",
                why: "plain_listen_port lets clients in without TLS, which show none",
                mend: "delete plain_listen_port"
            )
        }
    }
}

extension Configuration {
    /// Whether anybody may do without TLS, on any port, for logins or for data.
    var permitsPlainFTP: Bool {
        !tls.isEnabled || !tls.requiredForLogin || !tls.requiredForData
            || listening.plainPort != nil || anonymous.mayLogInClear || anonymous.mayTransferInClear
    }

    /// Whether Sessions may have the kernel send files by itself, which they do in clear alone.
    var sendsFilesInClear: Bool { files.usesSendfile && permitsPlainFTP }
}
