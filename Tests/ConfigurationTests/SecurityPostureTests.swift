import Portcullis
import Testing

@Suite("The security posture")
struct SecurityPostureTests {
    private func warnings(_ text: String) throws -> [String] {
        SecurityPosture.lines(for: try Fixture().read(text).configuration)
            .filter { $0.hasPrefix("WARNING: ") }
    }

    @Test func theDefaultsWarnOfNothingAndSayWhatHolds() throws {
        let lines = SecurityPosture.lines(for: try Fixture().read("").configuration)
        #expect(!lines.contains { $0.hasPrefix("WARNING: ") })
        #expect(lines.contains { $0.contains("TLS is required before a user name") })
        #expect(lines.contains("data connections: TLS is required"))
        #expect(lines.contains { $0.contains("1.2 and 1.3") })
        #expect(lines.contains("passive ports: 5001 to 65535"))
        #expect(lines.contains("writing: refused (write_enable=NO)"))
        #expect(lines.contains { $0.contains("clients 2000, from one address 50,") })
    }

    @Test(arguments: [
        ("ssl_enable=NO", "plain FTP"), ("force_local_logins_ssl=NO", "passwords may cross"),
        ("plain_listen_port=2121", "port 2121: plain FTP"),
        ("force_local_data_ssl=NO", "files may cross"), ("seccomp_sandbox=NO", "system call"),
        ("seccomp_report=YES", "development"), ("pam_sandbox=NO", "root's rights"),
        ("port_promiscuous=YES", "connect to any"), ("strict_ssl_read_eof=NO", "cut short"),
        ("pasv_promiscuous=YES\nrequire_ssl_reuse=NO", "anyone who can reach the port"),
        (
            "require_ssl_reuse=YES\nssl_reuse_exempt_networks=192.0.2.0/24 2001:db8::/32",
            "192.0.2.0/24, 2001:db8::/32"
        ),
        ("proxy_protocol=YES\nproxy_networks=0.0.0.0/0", "in 0.0.0.0/0: whoever"),
        ("proxy_protocol=YES\nproxy_networks=::/0 192.0.2.0/24", "in ::/0: whoever"),
        (
            "proxy_protocol=YES\nproxy_networks=0.0.0.0/1 128.0.0.0/1",
            "in 0.0.0.0/1, 128.0.0.0/1: whoever"
        ),
    ])
    func oneWeaknessIsOneWarning(text: String, words: String) throws {
        let warnings = try warnings(text)
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains(words) == true)
    }

    @Test(arguments: [
        ("cert_auth=second", "the password and a certificate"),
        ("cert_auth=alone", "by a certificate of the user's, or the password"),
        ("cert_auth=alone\nrequire_cert=YES", "by a certificate of the user's alone"),
        ("require_cert=YES", "client certificates: required"),
    ])
    func certificatesAreSpokenOfWhereTheyCount(text: String, words: String) throws {
        let fixture = try Fixture()
        let pem = "\(fixture.directory.path)/server.pem"
        let configuration = try fixture.read(
            "validate_cert=YES\nca_certs_file=\(pem)\ncert_user_field=cn\n\(text)"
        ).configuration
        let lines = SecurityPosture.lines(for: configuration)
        #expect(lines.contains { $0.contains(words) })
        #expect(!lines.contains { $0.hasPrefix("WARNING: ") })
    }

    @Test func promiscuousPassiveIsSafeWhenTLSProvesTheClient() throws {
        let configuration = try Fixture().read("pasv_promiscuous=YES").configuration
        let lines = SecurityPosture.lines(for: configuration)
        #expect(!lines.contains { $0.hasPrefix("WARNING: ") })
        #expect(lines.contains { $0.contains("proves who connects") })
    }

    @Test func promiscuousPassiveWithClearDataIsNotSafeThoughReuseIsRequired() throws {
        let warnings = try warnings("pasv_promiscuous=YES\nforce_local_data_ssl=NO")
        #expect(warnings.count == 2)
        #expect(warnings.contains { $0.contains("anyone who can reach the port") })
        let plain = try self.warnings("pasv_promiscuous=YES\nplain_listen_port=2121")
        #expect(plain.contains { $0.contains("plain_listen_port: anyone who can reach") })
    }

    @Test func aProxyInANetworkOfOnesOwnIsNoWarning() throws {
        let text = "proxy_protocol=YES\nproxy_networks=10.0.0.0/8 fc00::/7 192.0.2.1"
        #expect(try warnings(text).isEmpty)
    }

    @Test func implicitTLSHasNoPlainLogin() throws {
        #expect(try warnings("implicit_ssl=YES\nforce_local_logins_ssl=NO").isEmpty)
    }

    @Test func whereOnlyAnonymousUsersDoWithoutTLSThatIsPlainFTPToo() throws {
        let anonymous = "anonymous_enable=YES\nanon_root=/srv\nftp_username=nobody\n"
        let warnings = try warnings(anonymous + "force_anon_logins_ssl=NO")
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("is plain FTP for anonymous users") == true)
        let text = anonymous + "force_anon_logins_ssl=NO\nplain_ftp_networks=192.0.2.0/24"
        let lines = SecurityPosture.lines(for: try Fixture().read(text).configuration)
        #expect(lines.contains("plain FTP is served to plain_ftp_networks alone"))
        #expect(lines.contains { $0.hasSuffix("user name is taken, but for anonymous users") })
        #expect(!lines.contains { $0.contains("plain_system_logins") })
        #expect(
            try self.warnings(anonymous + "force_anon_logins_ssl=NO\nimplicit_ssl=YES").isEmpty
        )
    }

    @Test func whoIsNotLetInNeedsNoWarning() throws {
        #expect(try warnings("force_anon_logins_ssl=NO\nforce_anon_data_ssl=NO").isEmpty)
    }

    @Test func socketsOfTheServiceManagerAreSpokenOf() throws {
        let lines = SecurityPosture.lines(for: try Fixture().read("").configuration)
        #expect(lines.contains { $0.contains("LISTEN_FDS") && $0.contains("listen_address6") })
    }

    @Test func noLimitIsSaidInWords() throws {
        let configuration = try Fixture().read("max_clients=0\nmax_per_ip=0").configuration
        let lines = SecurityPosture.lines(for: configuration)
        #expect(lines.contains { $0.contains("clients without limit, from one address without") })
    }
}
