import Portcullis
import Testing

@Suite("Checks of several options together, and of the machine")
struct CheckTests {
    @Test(arguments: [
        ("", false, false), ("pasv_promiscuous=YES", true, false),
        ("require_ssl_reuse=YES", true, true), ("require_ssl_reuse=NO", false, true),
        ("pasv_promiscuous=YES\nrequire_ssl_reuse=NO", false, true),
        ("require_ssl_reuse=NO\npasv_promiscuous=YES", false, true),
        ("pasv_promiscuous=NO\nrequire_ssl_reuse=YES", true, true),
        ("pasv_promiscuous=YES\nssl_enable=NO", false, false),
    ])
    func reuseIsRequiredWhenWrittenOrWhenAnyAddressMayConnect(
        text: String,
        isRequired: Bool,
        isWritten: Bool
    ) throws {
        let report = try Fixture().read(text)
        #expect(report.problems.map(\.text) == [])
        #expect(report.configuration.tls.requiresReuse == isRequired)
        #expect(report.configuration.tls.requiresReuseIsWritten == isWritten)
    }

    @Test func aRefusedWishForReuseCountsAsNotWritten() throws {
        let report = try Fixture().read("require_ssl_reuse=maybe\npasv_promiscuous=YES\n")
        #expect(report.problems.count == 1)
        #expect(report.configuration.tls.requiresReuse)
    }

    @Test(arguments: [
        ("", false), ("ssl_request_cert=YES", true), ("require_cert=YES", true),
        ("validate_cert=YES", true), ("validate_cert=YES\nrequire_cert=YES", true),
    ])
    func aCertificateIsAskedForWhereOneIsDemanded(text: String, isRequested: Bool) throws {
        let fixture = try Fixture()
        let report = try fixture.read("ca_certs_file=\(fixture.directory.path)/server.pem\n\(text)")
        #expect(report.problems.map(\.text) == [])
        #expect(report.configuration.tls.requestsClientCertificate == isRequested)
    }

    @Test(arguments: [
        ("require_cert=YES\nssl_request_cert=NO", "ssl_request_cert"),
        ("require_cert=YES\nforce_local_logins_ssl=NO", "require_cert"),
        ("validate_cert=YES", "validate_cert"),
        ("cert_auth=alone", "cert_auth"),
        ("cert_auth=second\ncert_user_field=cn", "cert_user_field"),
        ("cert_auth=second\ncert_users_file=/nonexistent/users", "cert_users_file"),
    ])
    func aDemandForCertificatesThatCannotHoldIsRefused(text: String, name: String) throws {
        let report = try Fixture().read(text)
        #expect(report.problems.map(\.name) == [name])
    }

    @Test(arguments: ["ca_certs_file", "ca_crl_file"])
    func whoeverMayWriteTheFileOfAuthoritiesCouldLetAnybodyIn(name: String) throws {
        let fixture = try Fixture()
        let file = try fixture.directory.write("authorities.pem", "", mode: 0o666)
        var lines = [
            "ca_certs_file": "\(fixture.directory.path)/server.pem", "validate_cert": "YES",
        ]
        lines[name] = file
        let report = try fixture.read(lines.map { "\($0)=\($1)\n" }.sorted().joined())
        #expect(report.problems.map(\.name) == [name])
    }

    @Test func revocationsWithoutValidationAreRefused() throws {
        let fixture = try Fixture()
        let report = try fixture.read("ca_crl_file=\(fixture.directory.path)/server.pem")
        #expect(report.problems.map(\.name) == ["ca_crl_file"])
    }

    @Test func noCertificateIsAProblemOfTheConfiguration() throws {
        let fixture = try Fixture()
        let report = try fixture.readAlone(Array("pam_conf_dir=\(fixture.directory.path)".utf8))
        #expect(report.problems.map(\.name) == ["rsa_cert_file"])
        let text = try #require(report.problems.first?.text)
        #expect(text.hasPrefix("configuration: rsa_cert_file: refused: no certificate; set "))
    }

    @Test func withoutTLSNoCertificateIsNeeded() throws {
        let fixture = try Fixture()
        let text = "pam_conf_dir=\(fixture.directory.path)\nssl_enable=NO\n"
        let report = try fixture.readAlone(Array(text.utf8))
        #expect(report.problems.map(\.text) == [])
        #expect(!report.configuration.tls.requiredForLogin)
        #expect(!report.configuration.tls.requiredForData)
    }

    @Test func withoutTLSNothingCanRequireIt() throws {
        let report = try Fixture().read(
            "ssl_enable=NO\nforce_local_logins_ssl=YES\nforce_local_data_ssl=NO\nimplicit_ssl=YES"
                + "\nplain_listen_port=21"
        )
        #expect(report.problems.map(\.text) == [])
        #expect(!report.configuration.tls.requiredForLogin)
        #expect(!report.configuration.tls.isImplicit)
        #expect(report.entry("force_local_logins_ssl")?.disposition.isIgnored == true)
        #expect(report.entry("force_local_data_ssl")?.disposition == .honoured)
        #expect(report.entry("implicit_ssl")?.disposition.isIgnored == true)
        #expect(report.entry("plain_listen_port")?.disposition.isIgnored == true)
    }

    @Test func someVersionOfTLSMustBeLeft() throws {
        let fixture = try Fixture()
        let report = try fixture.read("ssl_tlsv13=NO\nssl_tlsv1_2=NO\n")
        #expect(report.problems.map(\.origin) == [fixture.line(3)])
        #expect(try fixture.read("ssl_tlsv13=NO\n").problems.isEmpty)
    }

    @Test func someSocketMustBeLeft() throws {
        let fixture = try Fixture()
        let handedOver = try fixture.read("listen=NO\n")
        #expect(handedOver.problems.isEmpty)
        #expect(handedOver.entry("listen")?.remark?.contains("handed over") == true)
        #expect(try fixture.read("listen=NO\nlisten_ipv6=YES\n").problems.isEmpty)
    }

    @Test func whatRestrictsNothingIsRemarkedOn() throws {
        let fixture = try Fixture()
        let networks = "plain_ftp_networks=192.0.2.0/24"
        let idle = try fixture.read(networks)
        #expect(idle.problems.isEmpty)
        #expect(idle.entry("plain_ftp_networks")?.remark?.contains("restricts nothing") == true)
        for plain in ["ssl_enable=NO", "force_local_data_ssl=NO", "plain_listen_port=2121"] {
            let report = try fixture.read("\(plain)\n\(networks)")
            #expect(report.entry("plain_ftp_networks")?.remark == nil)
        }
        let port = try fixture.read("connect_from_port_20=YES\nport_enable=NO")
        #expect(port.entry("connect_from_port_20")?.remark?.contains("port_enable=NO") == true)
    }

    @Test func whereCertificatesAreRequiredNobodyDoesWithoutTLS() throws {
        let report = try Fixture().read("require_cert=YES\nplain_listen_port=2121")
        #expect(report.problems.map(\.name) == ["require_cert"])
    }

    @Test func aKeyThatOthersMayWriteIsRefused() throws {
        let fixture = try Fixture()
        for mode in [0o620, 0o602, 0o666] as [UInt32] {
            let key = try fixture.directory.write("key.pem", "key", mode: mode)
            let report = try fixture.read("rsa_private_key_file=\(key)\n")
            #expect(report.problems.map(\.name) == ["rsa_private_key_file"])
            #expect(report.problems.first?.text.hasSuffix("run chmod go-w on the file") == true)
        }
    }

    @Test func aKeyThatOthersMayReadIsRemarkedOn() throws {
        let fixture = try Fixture()
        let key = try fixture.directory.write("key.pem", "key", mode: 0o644)
        let report = try fixture.read("rsa_private_key_file=\(key)\n")
        #expect(report.problems.map(\.text) == [])
        #expect(report.warnings.map(\.name) == ["rsa_private_key_file"])
        #expect(report.warnings.first?.text.contains(": honoured, but everybody") == true)
    }

    @Test func aCertificateWithoutItsKeyInAFileOfItsOwnMayBePublic() throws {
        let fixture = try Fixture()
        let certificate = try fixture.directory.write("public.pem", "certificate", mode: 0o644)
        let key = try fixture.directory.write("key.pem", "key")
        let report = try fixture.read(
            "rsa_cert_file=\(certificate)\nrsa_private_key_file=\(key)\n"
        )
        #expect(report.problems.map(\.text) == [])
        #expect(report.warnings.map(\.origin) == [fixture.line(2)])
    }

    @Test func theServiceFileMustBeWherePAMWillLook() throws {
        let fixture = try Fixture()
        try fixture.directory.write("other-service", "auth required pam_deny.so\n")
        #expect(try fixture.read("pam_service_name=other-service\n").problems.isEmpty)
        let problems = try fixture.read("pam_service_name=absent\n").problems
        #expect(problems.map(\.name) == ["pam_conf_dir"])
        #expect(problems.first?.text.contains("no PAM service file") == true)
        let text = "ssl_enable=NO\npam_service_name=portcullis-service-of-no-machine\n"
        let report = try fixture.readAlone(Array(text.utf8))
        #expect(report.problems.map(\.name) == ["pam_service_name"])
        #expect(report.problems.first?.text.contains("install pam.d/portcullis") == true)
    }

    @Test func aListOfUsersThatCannotBeReadIsRefused() throws {
        let fixture = try Fixture()
        let path = "\(fixture.directory.path)/absent"
        let report = try fixture.read("userlist_enable=YES\nuserlist_file=\(path)\n")
        #expect(report.problems.map(\.name) == ["userlist_file"])
        #expect(report.problems.first?.text.contains("userlist_enable=NO") == true)
    }

    @Test func aNameMayBeThePassiveAddressOnlyIfItIsLookedUp() throws {
        let report = try Fixture().read("pasv_address=ftp.example.org\npasv_addr_resolve=YES\n")
        #expect(report.problems.map(\.text) == [])
        #expect(report.configuration.passive.address == "ftp.example.org")
        #expect(report.configuration.passive.resolvesAddress)
    }

    @Test(arguments: [
        ("pasv_address=127.0.0.1", "on this machine"), ("pasv_address=10.1.2.3", "of your own"),
        ("masquerade_address_map=10.0.0.1:192.168.0.9", "of your own"),
    ])
    func anAddressThatOnlySomeClientsReachIsSaid(text: String, words: String) throws {
        let report = try Fixture().read(text)
        #expect(report.problems.isEmpty)
        #expect(report.warnings.count == 1)
        #expect(report.warnings.first?.text.contains(words) == true)
    }

    @Test func anAddressOfTheInternetIsAnnouncedWithoutAWord() throws {
        #expect(try Fixture().read("pasv_address=203.0.113.7").warnings.isEmpty)
    }

    @Test func aFileReplacesTheGreeting() throws {
        let fixture = try Fixture()
        let banner = try fixture.directory.write("banner", "Willkommen\r\n\r\nbei uns — 你好\r\n\r\n")
        let report = try fixture.read("ftpd_banner=hello\nbanner_file=\(banner)\n")
        #expect(report.problems.map(\.text) == [])
        #expect(report.configuration.session.banner == "Willkommen\n\nbei uns — 你好")
        #expect(report.warnings.map(\.name) == ["ftpd_banner"])
    }

    @Test(arguments: [
        [UInt8](repeating: 0x61, count: 4097), [0x61, 0x00], [0x1B, 0x5B], [0xE9, 0x0A],
    ])
    func aGreetingThatIsTooLongOrNoTextIsRefused(bytes: [UInt8]) throws {
        let fixture = try Fixture()
        let banner = try fixture.directory.write("banner", bytes)
        let report = try fixture.read("banner_file=\(banner)\n")
        #expect(report.problems.map(\.name) == ["banner_file"])
        #expect(report.configuration.session.banner == nil)
    }

    @Test func anEmptyGreetingFileLeavesTheDefault() throws {
        let fixture = try Fixture()
        let banner = try fixture.directory.write("banner", "\n\n")
        #expect(try fixture.read("banner_file=\(banner)").configuration.session.banner == nil)
    }
}
