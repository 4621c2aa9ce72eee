/// What becomes of each name that vsftpd knows, as a page of the documentation.
///
/// Made from the options themselves, by the code that `check-config` runs.
package enum VsftpdTable {
    /// Every name that the parser of vsftpd 3.0.5 knows, with what its source has it stand for.
    private static let vsftpd = """
        listen YES
        listen_ipv6 NO
        background NO
        listen_port 21
        listen_address
        listen_address6
        ftp_enable YES
        http_enable NO
        tcp_wrappers NO
        max_clients 2000
        max_per_ip 50
        setproctitle_enable NO
        run_as_launching_user NO
        one_process_model NO
        anonymous_enable YES
        local_enable NO
        no_anon_password NO
        deny_email_enable NO
        secure_email_list_enable NO
        guest_enable NO
        guest_username ftp
        virtual_use_local_privs NO
        userlist_enable NO
        userlist_deny YES
        userlist_file /etc/vsftpd.user_list
        check_shell YES
        session_support NO
        pam_service_name ftp
        user_config_dir
        user_sub_token
        ftp_username ftp
        nopriv_user nobody
        secure_chroot_dir /usr/share/empty
        text_userdb_names NO
        hide_ids NO
        tilde_user_enable NO
        passwd_chroot_enable NO
        chroot_local_user NO
        chroot_list_enable NO
        chroot_list_file /etc/vsftpd.chroot_list
        allow_writeable_chroot NO
        local_root
        anon_root
        write_enable NO
        download_enable YES
        dirlist_enable YES
        anon_upload_enable NO
        anon_mkdir_write_enable NO
        anon_other_write_enable NO
        anon_world_readable_only YES
        chown_uploads NO
        chown_username root
        chown_upload_mode 0600
        chmod_enable YES
        mdtm_write YES
        local_umask 077
        anon_umask 077
        file_open_mode 0666
        deny_file
        hide_file
        cmds_allowed
        cmds_denied
        lock_upload_files YES
        delete_failed_uploads NO
        force_dot_files NO
        ls_recurse_enable NO
        ftpd_banner
        banner_file
        dirmessage_enable NO
        message_file .message
        banned_email_file /etc/vsftpd.banned_emails
        email_password_file /etc/vsftpd.email_passwords
        ascii_upload_enable NO
        ascii_download_enable NO
        async_abor_enable NO
        use_sendfile YES
        trans_chunk_size 0
        anon_max_rate 0
        local_max_rate 0
        use_localtime NO
        pasv_enable YES
        pasv_min_port 5001
        pasv_max_port 0
        pasv_address
        pasv_addr_resolve NO
        pasv_promiscuous NO
        port_enable YES
        port_promiscuous NO
        connect_from_port_20 NO
        ftp_data_port 20
        accept_timeout 60
        connect_timeout 60
        idle_session_timeout 300
        data_connection_timeout 300
        max_login_fails 3
        delay_failed_login 1
        delay_successful_login 0
        xferlog_enable NO
        xferlog_std_format NO
        xferlog_file /var/log/xferlog
        vsftpd_log_file /var/log/vsftpd.log
        dual_log_enable NO
        syslog_enable NO
        log_ftp_protocol NO
        no_log_lock NO
        isolate YES
        isolate_network YES
        seccomp_sandbox YES
        ptrace_sandbox NO
        ssl_enable NO
        allow_anon_ssl NO
        force_local_logins_ssl YES
        force_local_data_ssl YES
        force_anon_logins_ssl NO
        force_anon_data_ssl NO
        ssl_sslv2 NO
        ssl_sslv3 NO
        ssl_tlsv1 NO
        ssl_tlsv11 NO
        ssl_tlsv12 YES
        ssl_tlsv13 YES
        ssl_ciphers ECDHE-RSA-AES256-GCM-SHA384
        rsa_cert_file /usr/share/ssl/certs/vsftpd.pem
        rsa_private_key_file
        dsa_cert_file
        dsa_private_key_file
        ca_certs_file
        ssl_request_cert YES
        require_cert NO
        validate_cert NO
        require_ssl_reuse YES
        strict_ssl_read_eof YES
        strict_ssl_write_shutdown NO
        implicit_ssl NO
        ssl_sni_hostname
        debug_ssl NO
        """

    /// What distributions add, with what it stands for there.
    private static let distributions = """
        utf8_filesystem NO
        upload_file
        download_file
        ssl_tlsv1_1 NO
        ssl_tlsv1_2 YES
        ssl_tlsv1_3 YES
        ssl_dh_file
        dh_param_file
        better_stou NO
        log_die NO
        wc_logs_enable NO
        """

    /// Every name of vsftpd's own.
    package static let names = entries(vsftpd).map(\.name)

    /// Every name that distributions add.
    package static let distributedNames = entries(distributions).map(\.name)

    /// The page, line by line.
    package static var page: [String] {
        [
            "# vsftpd's options",
            "",
            "Every name that vsftpd 3.0.5 and its distributions know, and what becomes of it here.",
            "",
            "## Overview",
            "",
            "`portcullis options --vsftpd` prints this page, from the table that `portcullis check-config`",
            "and the server itself read a file with; a test holds the page against it. *Honoured* means what it",
            "means in vsftpd; *mapped* the same under another name. What is *ignored* does not keep the server from",
            "starting, and a warning gives the reason; what is *refused* does, and the refusal names the mend.",
            "A value may still be refused for what it is, or for what other options say. <doc:Options> tells what",
            "each option does.",
            "",
            "### The names of vsftpd",
            "",
        ] + table(vsftpd) + ["", "### The names that distributions add", ""]
            + table(distributions)
    }

    private static func table(_ text: String) -> [String] {
        ["| option | in vsftpd | here | what becomes of it |", "|---|---|---|---|"]
            + entries(text).compactMap { entry in
                guard let option = ConfigurationOption.named(entry.name) else { return nil }
                let fate = option.fate(as: entry.name)
                return
                    "| `\(entry.name)` | \(entry.standing) | \(option.standing ?? "") | \(fate) |"
            }
    }

    private static func entries(_ text: String) -> [(name: String, standing: String)] {
        text.split(separator: "\n").map { line in
            let parts = line.split(separator: " ", maxSplits: 1)
            return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
    }
}

extension ConfigurationOption {
    /// Says in a few words what becomes of this option, tried out with values of every kind.
    ///
    /// - Parameter written: One of its names.
    /// - Returns: `honoured`, or the rest of a sentence that begins with the option.
    package func fate(as written: String) -> String {
        guard kind == .toggle else {
            let values = [
                "7", "4000", "/", "word", "127.0.0.1", "::1", "RETR", "virtual", "intermediate",
                "second", "email", "/:e", "a:/b", "10.0.0.1:192.0.2.1",
            ]
            // What a value that cannot be read meets says nothing of the option.
            let fates = values.map { disposition(of: $0) }
            if let honoured = fates.first(where: { $0 == .honoured }) {
                return words(for: honoured, as: written)
            }
            let other = fates.first { !$0.isRefusal } ?? fates.first
            return other.map { words(for: $0, as: written) } ?? ""
        }
        let yes = words(for: disposition(of: "YES"), as: written)
        let no = words(for: disposition(of: "NO"), as: written)
        return yes == no ? yes : "YES: \(yes). NO: \(no)"
    }

    private func disposition(of value: String) -> Disposition {
        var draft = ConfigurationDraft()
        return accept(&draft, value)
    }

    private func words(for disposition: Disposition, as written: String) -> String {
        switch disposition {
        case .honoured where written != name, .mapped: "mapped to `\(name)`"
        case .honoured: "honoured"
        case .ignored(let why): "ignored: \(why)"
        case .refused(let why, let mend): "refused: \(why); \(mend)"
        }
    }
}
