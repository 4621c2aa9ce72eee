import Portcullis
import Testing

@Suite("What becomes of options that are not honoured as written")
struct DispositionTests {
    @Test(arguments: [
        "ssl_sslv2=YES", "ssl_sslv3=YES", "ssl_tlsv1=YES", "ssl_tlsv11=YES", "ssl_tlsv1_1=YES",
        "ssl_dh_file=/etc/dh.pem", "allow_anon_ssl=NO",
        "banned_email_file=/etc/x", "email_password_file=/etc/x",
        "guest_username=ftp", "virtual_use_local_privs=YES",
        "tcp_wrappers=YES",
        "chroot_list_enable=YES", "chroot_list_file=/etc/x",
        "allow_writeable_chroot=YES", "secure_chroot_dir=/run/x",
        "isolate=YES", "isolate_network=NO", "ptrace_sandbox=YES", "one_process_model=YES",
        "run_as_launching_user=YES", "setproctitle_enable=YES", "background=YES",
        "no_log_lock=YES", "async_abor_enable=YES",

        "session_support=NO",
        "xferlog_std_format=YES", "xferlog_file=/var/log/x", "vsftpd_log_file=/var/log/x",
        "log_ftp_protocol=YES", "better_stou=NO",
        "log_die=YES", "wc_logs_enable=YES", "utf8_filesystem=NO", "userlist_deny=NO",
        "userlist_file=/etc/x", "user_sub_token=$USER", "listen_address6=::1",
        "ftp_data_port=2020", "pasv_addr_resolve=YES", "admin_group=adm",
    ])
    func aWarningGivesTheReason(text: String) throws {
        let fixture = try Fixture()
        let report = try fixture.read(text)
        #expect(report.problems.map(\.text) == [])
        #expect(report.warnings.count == 1)
        let line = try #require(report.warnings.first?.text)
        #expect(line.hasPrefix("\(fixture.line(3)): \(text): ignored: "))
        #expect(!line.contains("\n"))
    }

    @Test(arguments: [
        "ssl_sslv2=NO", "ssl_sslv3=NO", "ssl_tlsv1=NO", "ssl_tlsv11=NO", "anonymous_enable=NO",
        "local_enable=YES", "guest_enable=NO", "check_shell=YES", "check_shell=NO",
        "auth_order=pam", "auth_order=virtual, pam", "auth_order=pam,anonymous,virtual",
        "require_cert=NO", "validate_cert=NO", "cert_auth=off", "cert_auth=",
        "ssl_ciphers=ECDHE-ECDSA-AES256-GCM-SHA384",
        "ssl_sni_hostname=ftp.example.org, files.example.org", "ssl_sni_required=YES",
        "tcp_wrappers=NO", "chroot_local_user=YES", "chroot_list_enable=NO", "ftp_enable=YES",
        "http_enable=NO", "session_support=YES",
        "dirmessage_enable=NO", "background=NO", "seccomp_sandbox=NO", "seccomp_report=YES",
        "pam_sandbox=NO", "implicit_ssl=YES", "admin_socket=/run/portcullis/admin.sock",
        "metrics_address=9121", "metrics_address=127.0.0.1:9121", "metrics_address=[::1]:9121",
        "utf8_filesystem=YES", "ls_recurse_enable=NO", "use_sendfile=NO", "use_sendfile=YES",
        "hash_enable=NO", "hash_max_size=1000000000000", "copy_enable=NO",
        "host_names=ftp.example.org, files.example.org", "host_names=",
        "implicit_listen_port=990", "implicit_listen_port=", "plain_listen_port=2121",
        "plain_listen_port=",
        "masquerade_address_map=10.0.0.1:192.0.2.1, 10.0.0.2:192.0.2.2",
        "masquerade_address_map=", "pasv_promiscuous_networks=10.0.0.0/8,2001:db8::/32 127.0.0.1",
        "pasv_promiscuous_networks=", "pasv_local_networks=", "max_load=0", "max_load=12",
        "max_load=7.5", "max_load=0.25", "dir_aliases=",
        "dir_aliases=pub:/srv, in:/a:b", "server_max_rate=1",
        "chroot_local_user=NO", "passwd_chroot_enable=YES", "anon_root=/srv", "ftp_username=ftp",
        "anon_upload_enable=YES", "anon_mkdir_write_enable=YES", "anon_other_write_enable=YES",
        "anon_world_readable_only=NO", "anon_umask=022", "no_anon_password=YES",
        "force_anon_logins_ssl=YES", "force_anon_data_ssl=NO", "allow_anon_ssl=YES",
        "audit_log_file=/var/log/audit.log", "audit_required=NO", "audit_content_hash=NO",
        "audit_sync=NO", "xferlog_enable=YES", "dual_log_enable=YES", "syslog_enable=YES",
        "ls_recurse_enable=YES", "text_userdb_names=YES", "dirmessage_enable=YES",
        "message_file=welcome.txt",
        "tilde_user_enable=YES", "deny_file={*.mp3,*.mov,.private}", "hide_file={.*}",
        "upload_file=*.csv", "download_file=*.{csv,txt}", "deny_file=", "override_perm=",
        "override_perm=/in:elw:recursive,/out:elr /a:b:", "override_perm=/:elr",
    ])
    func whatIsTheRuleAnywayIsHonoured(text: String) throws {
        let fixture = try Fixture()
        let report = try fixture.read(text)
        #expect(report.entries.last?.text == "\(fixture.line(3)): \(text): honoured")
        #expect(report.problems.isEmpty)
        #expect(report.warnings.isEmpty)
    }

    @Test(arguments: [
        "ssl_ciphers=AES128-SHA", "dsa_cert_file=/etc/x", "dsa_private_key_file=/etc/x",
        "validate_cert=YES", "ca_certs_file=/etc/x", "ca_crl_file=/etc/x",
        "ssl_sni_hostname=two words", "ssl_sni_dir=/nonexistent",
        "rsa_private_key_file=credential:../key", "ssl_key_passphrase_file=credential:..",
        "ssl_reuse_exempt_networks=192.0.2.1/24", "cert_auth=alone", "cert_auth=second",
        "cert_auth=YES", "cert_user_field=name",
        "local_enable=NO", "auth_order=virtual", "auth_order=", "auth_order=pam,pam",
        "auth_order=pam,ldap", "http_enable=YES",
        "ftp_enable=NO",
        "deny_file={*.mp3", "hide_file={a,{b,c}}", "upload_file={*.csv,}", "download_file=/",
        "override_perm=/in", "message_file=a/b", "message_file=..", "override_perm=/in:xyz",
        "override_perm=in:elr", "implicit_listen_port=65536", "plain_listen_port=65536",
        "plain_listen_port=21", "masquerade_address_map=10.0.0.1",
        "masquerade_address_map=a:b",
        "masquerade_address_map=10.0.0.1:192.0.2.1,10.0.0.1:192.0.2.2",
        "masquerade_address_map=10.0.0.1:192.0.2.1:21", "pasv_local_networks=10.0.0.1/8",
        "pasv_promiscuous_networks=all", "max_load=-1", "max_load=.5",
        "max_load=1.", "max_load=1.234",
        "max_load=1.2.3", "max_load=x", "dir_aliases=pub", "dir_aliases=pub:srv",
        "dir_aliases=a/b:/c", "dir_aliases=:/c",
        "override_perm=/in:elr:always", "override_perm=/in:elr /out",
        "user_config_dir=/nonexistent", "listen_address=::1", "listen_address=localhost",
        "listen_address6=127.0.0.1", "listen_address6=fe80::1", "listen_address6=::1%lo",
        "listen_address6=fe80::1%", "listen_address6=fe80::1%a/b",
        "listen_address6=fe80::1%a-name-of-16-byte",
        "local_root=srv", "pam_service_name=../login",
        "pam_service_name=absent", "rsa_cert_file=/nonexistent/cert.pem",
        "rsa_private_key_file=/nonexistent/key.pem", "banner_file=/nonexistent/banner",
        "pasv_address=ftp.example.org", "pasv_address=2001:db8::1", "pasv_address=0.0.0.0",
        "pasv_address=224.0.0.1", "masquerade_address_map=10.0.0.1:0.0.0.0", "pasv_max_port=4000",
        "cmds_denied=SITE CHMOD", "cmds_denied=RETR,ST*R", "cmds_allowed=,", "host_names=a b",
        "host_names=a,,-b",
        "hash_max_size=-1", "audit_log_file=audit.log", "audit_required=YES",
        "admin_socket=run/admin", "metrics_address=::1:9121",
        "metrics_address=localhost:9121", "metrics_address=127.0.0.1",
        "pam_conf_dir=/nonexistent", "deny_email_enable=YES",
        "secure_email_list_enable=YES",
    ])
    func aRefusalNamesTheLineAndTheMend(text: String) throws {
        let fixture = try Fixture()
        let report = try fixture.read(text)
        let problem = try #require(report.problems.first)
        #expect(report.problems.count == 1)
        #expect(problem.origin.hasPrefix(fixture.directory.path))
        guard case .refused(let why, let mend) = problem.disposition else {
            Issue.record("a problem that is not refused")
            return
        }
        #expect(!why.isEmpty)
        #expect(!mend.isEmpty)
        #expect(!why.contains(". ") && !mend.contains(". "))
        #expect(problem.text.hasSuffix(": refused: \(why); \(mend)"))
    }

    @Test func theFilesOfAMigratedServerLoadWithWarningsOnly() throws {
        let fixture = try Fixture()
        let list = try fixture.directory.write("user_list", "root\nbin\n")
        let report = try fixture.read(
            """
            # Passive mode behind NAT
            listen=YES
            anonymous_enable=NO
            local_enable=YES
            write_enable=YES
            local_umask=022
            chroot_local_user=YES
            allow_writeable_chroot=YES
            pasv_enable=YES
            pasv_address=203.0.113.7
            pasv_promiscuous=YES
            pasv_min_port=49000
            pasv_max_port=50000
            ssl_enable=YES
            require_ssl_reuse=NO   # Python's ftplib
            force_local_data_ssl=YES
            force_local_logins_ssl=YES
            ssl_tlsv1=NO
            ssl_sslv2=YES
            ssl_sslv3=YES
            ssl_ciphers=HIGH
            userlist_enable=YES
            userlist_file=\(list)
            tcp_wrappers=YES
            """
        )
        #expect(report.problems.map(\.text) == [])
        #expect(
            report.warnings.map(\.name) == [
                "allow_writeable_chroot", "ssl_sslv2", "ssl_sslv3", "ssl_ciphers", "tcp_wrappers",
            ]
        )
        let configuration = report.configuration
        #expect(configuration.passive.minimumPort == 49000)
        #expect(configuration.passive.maximumPort == 50000)
        #expect(configuration.passive.address == "203.0.113.7")
        #expect(configuration.passive.isPromiscuous)
        #expect(!configuration.tls.requiresReuse)
        #expect(configuration.tls.requiredForData)
        #expect(configuration.login.userListFile == list)
    }
}
