import Portcullis
import Testing

@Suite("The table of options")
struct OptionTableTests {
    /// Every name that the parser of vsftpd 3.0.5 knows.
    static let vsftpd = """
        listen listen_ipv6 background listen_port listen_address listen_address6 ftp_enable
        http_enable tcp_wrappers max_clients max_per_ip setproctitle_enable
        run_as_launching_user one_process_model anonymous_enable local_enable no_anon_password
        deny_email_enable secure_email_list_enable guest_enable guest_username
        virtual_use_local_privs userlist_enable userlist_deny userlist_file check_shell
        session_support pam_service_name user_config_dir user_sub_token ftp_username nopriv_user
        secure_chroot_dir text_userdb_names hide_ids tilde_user_enable passwd_chroot_enable
        chroot_local_user chroot_list_enable chroot_list_file allow_writeable_chroot local_root
        anon_root write_enable download_enable dirlist_enable anon_upload_enable
        anon_mkdir_write_enable anon_other_write_enable anon_world_readable_only chown_uploads
        chown_username chown_upload_mode chmod_enable mdtm_write local_umask anon_umask
        file_open_mode deny_file hide_file cmds_allowed cmds_denied lock_upload_files
        delete_failed_uploads force_dot_files ls_recurse_enable ftpd_banner banner_file
        dirmessage_enable message_file banned_email_file email_password_file ascii_upload_enable
        ascii_download_enable async_abor_enable use_sendfile trans_chunk_size anon_max_rate
        local_max_rate use_localtime pasv_enable pasv_min_port pasv_max_port pasv_address
        pasv_addr_resolve pasv_promiscuous port_enable port_promiscuous connect_from_port_20
        ftp_data_port accept_timeout connect_timeout idle_session_timeout
        data_connection_timeout max_login_fails delay_failed_login delay_successful_login
        xferlog_enable xferlog_std_format xferlog_file vsftpd_log_file dual_log_enable
        syslog_enable log_ftp_protocol no_log_lock isolate isolate_network seccomp_sandbox
        ptrace_sandbox ssl_enable allow_anon_ssl force_local_logins_ssl force_local_data_ssl
        force_anon_logins_ssl force_anon_data_ssl ssl_sslv2 ssl_sslv3 ssl_tlsv1 ssl_tlsv11
        ssl_tlsv12 ssl_tlsv13 ssl_ciphers rsa_cert_file rsa_private_key_file dsa_cert_file
        dsa_private_key_file ca_certs_file ssl_request_cert require_cert validate_cert
        require_ssl_reuse strict_ssl_read_eof strict_ssl_write_shutdown implicit_ssl
        ssl_sni_hostname debug_ssl
        """.split(whereSeparator: \.isWhitespace).map(String.init)

    /// What Debian and Red Hat add.
    static let distributions = [
        "utf8_filesystem", "upload_file", "download_file", "ssl_tlsv1_1", "ssl_tlsv1_2",
        "ssl_tlsv1_3", "ssl_dh_file", "dh_param_file", "better_stou", "log_die", "wc_logs_enable",
    ]

    static let ours = [
        "pam_conf_dir", "ssl_alpn_required", "ssl_handshake_timeout", "shutdown_timeout",
        "login_timeout", "override_perm", "pasv_max_per_ip", "pasv_addr_resolve_interval",
        "plain_ftp_networks",
        "plain_system_logins",
        "host_names", "hash_enable", "hash_max_size", "copy_enable", "mode_z_enable",
        "max_per_user", "login_message", "quit_message", "overwrite_enable", "ban_failures",
        "ban_period", "ban_time", "user_lock_failures", "user_lock_period", "user_lock_time",
        "max_connection_rate", "max_before_login",
        "delay_failed_login_max", "min_uid",
        "atomic_uploads", "fsync_uploads", "upload_max_rate", "download_max_rate",
        "user_max_rate", "min_rate", "min_rate_period", "max_file_size", "min_free_space",
        "quota_bytes", "quota_files", "server_max_rate", "max_load", "dir_aliases",
        "proxy_protocol", "proxy_networks",
        "masquerade_address_map", "pasv_local_networks", "pasv_promiscuous_networks",
        "permit_foreign_addresses", "permit_privileged_ports",
        "implicit_listen_port", "plain_listen_port",
        "ssl_policy", "ec_cert_file", "ec_private_key_file", "ssl_key_passphrase_file",
        "ssl_sni_dir", "ssl_sni_required", "ssl_ocsp_file", "ec_ocsp_file",
        "ssl_reuse_exempt_networks", "ca_crl_file", "cert_auth", "cert_user_field",
        "cert_users_file", "ktls_enable", "seccomp_report", "pam_sandbox",
        "audit_log_file", "audit_required", "audit_content_hash", "audit_sync",
        "audit_log_group", "audit_key_file",
        "admin_socket", "admin_group",
        "metrics_address",
    ]

    @Test func allOfVsftpdIsHere() {
        #expect(Self.vsftpd.count == 136)
        #expect(Set(Self.vsftpd).count == 136)
    }

    @Test func thePageAboutVsftpdHasAllOfThem() {
        #expect(VsftpdTable.names == Self.vsftpd)
        #expect(VsftpdTable.distributedNames.sorted() == Self.distributions.sorted())
        let rows = VsftpdTable.page.filter { $0.hasPrefix("| `") }
        #expect(rows.count == Self.vsftpd.count + Self.distributions.count)
        #expect(!rows.contains { $0.hasSuffix("|  |") })
    }

    @Test(arguments: vsftpd + distributions + ours)
    func everyNameIsKnown(name: String) throws {
        let option = try #require(ConfigurationOption.named(name))
        #expect(option.names.contains(name))
    }

    @Test(arguments: vsftpd + distributions + ours)
    func everyNameHasAnAnswerToEveryKindOfValue(name: String) throws {
        for value in ["YES", "NO", "0", "022", "70000", "", "some words", "-1"] {
            let report = ConfigurationReader.read(file: nil, settings: ["\(name)=\(value)"])
            let entry = try #require(report.entries.first)
            #expect(entry.name == name)
            #expect(!entry.text.contains("there is no such option"))
        }
    }

    @Test func noNameIsInTheTableTwice() {
        let names = ConfigurationOption.all.flatMap(\.names)
        #expect(Set(names).count == names.count)
    }

    @Test(arguments: [
        ("pasv_min_prot", "pasv_min_port"), ("ssl_enabled", "ssl_enable"),
        ("SSL_ENABLE", "ssl_enable"), ("lisen", "listen"),
        ("requires_ssl_reuse", "require_ssl_reuse"),
        ("allow_writable_chroot", "allow_writeable_chroot"),
    ])
    func aMistypedNameIsAnsweredWithTheNearest(written: String, meant: String) throws {
        let fixture = try Fixture()
        let report = try fixture.read("\(written)=secret\n")
        #expect(
            report.problems.map(\.text) == [
                "\(fixture.line(3)): \(written): refused: there is no such option; "
                    + "did you mean `\(meant)`?"
            ]
        )
    }

    @Test(arguments: ["max_bandwidth_per_month", "x", String(repeating: "listen", count: 10_000)])
    func aNameThatResemblesNothingGetsNoSuggestion(written: String) throws {
        let report = try Fixture().read("\(written)=1\n")
        #expect(report.problems.count == 1)
        #expect(report.problems.first?.text.contains("did you mean") == false)
        #expect(ConfigurationOption.nearest(to: written) == nil)
    }
}
