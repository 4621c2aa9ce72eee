import Portcullis
import Testing

@Suite("Options arrive where they belong")
struct ValueTests {
    @Test func theDefaultsOfAnEmptyFileAreSafe() throws {
        let configuration = try Fixture().read("").configuration
        #expect(configuration.tls.isEnabled)
        #expect(configuration.tls.requiredForLogin)
        #expect(configuration.tls.requiredForData)
        #expect(configuration.tls.strictReadEOF)
        #expect(!configuration.tls.requiresReuse)
        #expect(!configuration.files.allowsWriting)
        #expect(configuration.files.umask == 0o77)
        #expect(configuration.session.usesSeccomp)
        #expect(configuration.login.userListFile == nil)
    }

    @Test func everySwitchMovesItsOwnProperty() throws {
        let places: [(String, WritableKeyPath<Configuration, Bool>)] = [
            ("listen", \.listening.ipv4), ("listen_ipv6", \.listening.ipv6),
            ("userlist_deny", \.login.userListDenies),
            ("force_local_logins_ssl", \.tls.requiredForLogin),
            ("force_local_data_ssl", \.tls.requiredForData), ("ssl_tlsv12", \.tls.allows12),
            ("ssl_tlsv13", \.tls.allows13), ("ssl_request_cert", \.tls.requestsClientCertificate),
            ("strict_ssl_read_eof", \.tls.strictReadEOF),
            ("strict_ssl_write_shutdown", \.tls.strictWriteShutdown),
            ("ssl_sni_required", \.tls.requiresName),
            ("ssl_alpn_required", \.tls.requiresALPN), ("debug_ssl", \.tls.logsDetails),
            ("ktls_enable", \.tls.encryptsInKernel),
            ("implicit_ssl", \.tls.isImplicit), ("pasv_enable", \.passive.isEnabled),
            ("pasv_addr_resolve", \.passive.resolvesAddress),
            ("port_enable", \.active.isEnabled),
            ("permit_privileged_ports", \.active.allowsPrivilegedPorts),
            ("connect_from_port_20", \.active.usesDataPort),
            ("write_enable", \.files.allowsWriting), ("download_enable", \.files.allowsDownload),
            ("dirlist_enable", \.files.allowsListing), ("chmod_enable", \.files.allowsChangeMode),
            ("mdtm_write", \.files.allowsTimeChange), ("force_dot_files", \.files.showsDotFiles),
            ("hide_ids", \.files.hidesOwners), ("use_localtime", \.files.usesLocalTime),
            ("ascii_upload_enable", \.files.convertsUploads),
            ("ascii_download_enable", \.files.convertsDownloads),
            ("delete_failed_uploads", \.files.deletesFailedUploads),
            ("atomic_uploads", \.uploads.isAtomic), ("fsync_uploads", \.uploads.synchronizes),
            ("lock_upload_files", \.uploads.locksOutReaders),
            ("seccomp_sandbox", \.session.usesSeccomp),
            ("seccomp_report", \.session.reportsSystemCalls),
            ("pam_sandbox", \.session.confinesPAM),
        ]
        let fixture = try Fixture()
        for (name, path) in places {
            let changed = !Configuration()[keyPath: path]
            let configuration = try fixture.read("\(name)=\(changed ? "YES" : "NO")").configuration
            for (other, place) in places {
                let moved = configuration[keyPath: place] != Configuration()[keyPath: place]
                #expect(moved == (other == name), "\(name) and \(other)")
            }
        }
    }

    @Test func aLinkLocalAddressNamesItsInterface() throws {
        let report = try Fixture().read("listen_ipv6=YES\nlisten_address6=fe80::1%eth0")
        #expect(report.problems.isEmpty)
        let address = try #require(report.configuration.listening.address6)
        #expect(address.zone == "eth0" && "\(address)" == "fe80::1%eth0")
    }

    @Test func numbersTimesAndTextsArrive() throws {
        let report = try Fixture().read(
            """
            listen_port=2121
            listen_address=127.0.0.1
            listen_ipv6=YES
            listen_address6=::1
            max_clients=0
            max_per_ip=7
            nopriv_user=daemon
            max_login_fails=5
            delay_failed_login=2
            delay_successful_login=3
            delay_failed_login_max=20
            max_before_login=9
            local_root=/srv/$USER
            user_sub_token=$USER
            ssl_handshake_timeout=11
            connect_from_port_20=YES
            ftp_data_port=2020
            accept_timeout=12
            connect_timeout=13
            idle_session_timeout=14
            data_connection_timeout=15
            shutdown_timeout=0
            file_open_mode=0660
            cmds_allowed=retr, Stor ,P@SW
            cmds_denied=DELE
            """
        )
        #expect(report.problems.map(\.text) == [])
        #expect(report.warnings.map(\.text) == [])
        let configuration = report.configuration
        #expect(configuration.listening.port == 2121)
        #expect(configuration.listening.address.map { "\($0)" } == "127.0.0.1")
        #expect(configuration.listening.address6.map { "\($0)" } == "::1")
        #expect(configuration.listening.maximumClients == 0)
        #expect(configuration.listening.maximumClientsPerAddress == 7)
        #expect(configuration.login.unprivilegedUser == "daemon")
        #expect(configuration.login.maximumFailures == 5)
        #expect(configuration.login.failureDelay == .seconds(2))
        #expect(configuration.login.successDelay == .seconds(3))
        #expect(configuration.login.maximumFailureDelay == .seconds(20))
        #expect(configuration.listening.maximumClientsBeforeLogin == 9)
        #expect(configuration.login.localRoot == "/srv/$USER")
        #expect(configuration.login.userSubToken == "$USER")
        #expect(configuration.tls.handshakeTimeout == .seconds(11))
        #expect(configuration.active.dataPort == 2020)
        #expect(configuration.timeouts.accept == .seconds(12))
        #expect(configuration.timeouts.connect == .seconds(13))
        #expect(configuration.timeouts.idle == .seconds(14))
        #expect(configuration.timeouts.data == .seconds(15))
        #expect(configuration.timeouts.shutdown == .zero)
        #expect(configuration.files.openMode == 0o660)
        #expect(configuration.session.allowedCommands == ["RETR", "STOR", "P@SW"])
        #expect(configuration.session.deniedCommands == ["DELE"])
    }

    @Test(arguments: [
        ("pasv_min_port=0", 1024, 65535, false), ("pasv_min_port=20", 1024, 65535, true),
        ("pasv_max_port=0", 5001, 65535, false), ("pasv_max_port=70000", 5001, 65535, true),
        ("pasv_min_port=6000\npasv_max_port=6000", 6000, 6000, false),
    ])
    func anEndOfThePassiveRangeThatIsNoPortIsReplacedAsInVsftpd(
        text: String,
        minimum: UInt16,
        maximum: UInt16,
        isRemarkedOn: Bool
    ) throws {
        let report = try Fixture().read(text)
        #expect(report.problems.map(\.text) == [])
        #expect(report.configuration.passive.minimumPort == minimum)
        #expect(report.configuration.passive.maximumPort == maximum)
        #expect(report.warnings.isEmpty != isRemarkedOn)
    }

    @Test func aSwappedPassiveRangeIsRefusedAndNotWidened() throws {
        let fixture = try Fixture()
        let report = try fixture.read("pasv_min_port=50000\npasv_max_port=49000\n")
        #expect(report.problems.map(\.origin) == [fixture.line(4)])
        #expect(report.problems.first?.text.contains("50000") == true)
    }
}
