import Portcullis
import Testing

@Suite("The syntax of vsftpd.conf, and what people write in it")
struct SyntaxTests {
    @Test(arguments: [
        "listen_port=2121", "  listen_port=2121", "listen_port =2121", "listen_port= 2121",
        "listen_port = 2121  ", "\tlisten_port\t=\t2121\t", "listen_port=2121\r",
        "listen_port=2121 # behind the firewall", "listen_port=2121\t#x # y",
        "# Порт управления — 控制端口\nlisten_port=2121", "\n\n   \n#\nlisten_port=2121\n\n",
        "listen_port=04111", "listen_port=2121 # ação\r\nlisten_ipv6=NO\r",
    ])
    func oneAssignmentCanBeWrittenInManyWays(text: String) throws {
        let report = try Fixture().read(text)
        #expect(report.problems.map(\.text) == [])
        #expect(report.configuration.listening.port == 2121)
    }

    @Test func aByteOrderMarkIsNoPartOfTheFirstName() throws {
        let fixture = try Fixture()
        let bytes = [0xEF, 0xBB, 0xBF] + Array("listen_port=2121\n".utf8)
        let report = try fixture.readAlone(bytes)
        #expect(report.configuration.listening.port == 2121)
        #expect(report.origin(of: "listen_port") == fixture.line(1))
    }

    @Test func aCommentNeedsABlankBeforeIt() throws {
        let report = try Fixture().read("ftpd_banner=Room #7 # not shown\nlocal_root=/srv/a#b\n")
        #expect(report.configuration.session.banner == "Room")
        #expect(report.configuration.login.localRoot == "/srv/a#b")
    }

    @Test func aCommentInAnotherEncodingIsStillAComment() throws {
        let fixture = try Fixture()
        let bytes = Array("# caf".utf8) + [0xE9] + Array("\nlisten_port=2121 # ".utf8) + [0xE9]
        let report = try fixture.readAlone(Array(fixture.necessities.utf8) + bytes)
        #expect(report.problems.map(\.text) == [])
        #expect(report.configuration.listening.port == 2121)
    }

    @Test(arguments: [
        "listen_port=2121# x", "listen_port=2121 // x", "listen_port=2121端口",
        "listen_port=2121\u{3000}# x", "\u{A0}listen_port\u{3000}=\u{A0}2121\u{A0}",
        "listen_port=2121 the port",
    ])
    func aNumberEndsWhereACommentBegins(text: String) throws {
        let report = try Fixture().read(text)
        #expect(report.problems.map(\.text) == [])
        #expect(report.configuration.listening.port == 2121)
    }

    @Test(arguments: [
        "listen_port=2121 2122", "listen_port=2121,2122", "listen_port=2121 - 2122",
        "listen_port=2121x", "listen_port=# x", "listen=YES, NO", "listen=YES/NO",
        "pasv_address=192.0.2.1,192.0.2.2",
    ])
    func nothingElseIsCutOff(text: String) throws {
        #expect(try Fixture().read(text).problems.count == 1)
    }

    @Test func aTextIsNeverDivided() throws {
        let report = try Fixture().read("ftpd_banner=Привет, 世界 // всем\n")
        #expect(report.configuration.session.banner == "Привет, 世界 // всем")
    }

    @Test func anEqualsSignInAValueBelongsToIt() throws {
        let report = try Fixture().read("ftpd_banner=a=b = c\n")
        #expect(report.configuration.session.banner == "a=b = c")
    }

    @Test(arguments: [
        ("YES", true), ("yes", true), ("True", true), ("1", true),
        ("NO", false), ("no", false), ("False", false), ("0", false),
    ])
    func aSwitchTakesTheWordsOfVsftpd(text: String, value: Bool) throws {
        let report = try Fixture().read("write_enable=\(text)\nhide_ids=\(text)")
        #expect(report.problems.map(\.text) == [])
        #expect(report.configuration.files.allowsWriting == value)
        #expect(report.configuration.files.hidesOwners == value)
    }

    @Test(arguments: ["on", "Y", "2", "", "yess", "-1", "\"YES\""])
    func anyOtherWordIsRefusedWithItsLine(text: String) throws {
        let fixture = try Fixture()
        let report = try fixture.read("write_enable=\(text)\n")
        let problem = try #require(report.problems.first)
        #expect(report.problems.count == 1)
        #expect(problem.origin == fixture.line(3))
        #expect(problem.text.hasPrefix("\(fixture.line(3)): write_enable=\(text): refused: "))
        #expect(problem.text.hasSuffix("; write YES or NO"))
        #expect(!report.configuration.files.allowsWriting)
    }

    @Test func aLeadingZeroMakesANumberOctal() throws {
        let report = try Fixture().read("local_umask=022\nmax_clients=010\nmax_per_ip=10\n")
        #expect(report.configuration.files.umask == 0o22)
        #expect(report.configuration.listening.maximumClients == 8)
        #expect(report.configuration.listening.maximumClientsPerAddress == 10)
        #expect(report.warnings.map(\.text) == [])
    }

    @Test func decimalPermissionBitsAreHonouredWithARemark() throws {
        let report = try Fixture().read("local_umask=22\n")
        #expect(report.configuration.files.umask == 0o26)
        #expect(report.problems.isEmpty)
        #expect(report.warnings.count == 1)
        #expect(report.warnings.first?.text.contains("octal 026") == true)
    }

    @Test(arguments: [
        "max_clients=", "max_clients=-1", "max_clients=+1", "max_clients=08", "max_clients=0x10",
        "max_clients=1 2", "max_clients=٣", "max_clients=99999999999999999999999",
        "max_clients=1000001", "listen_port=65536", "idle_session_timeout=0", "local_umask=01000",
        "local_umask=0o22", "max_login_fails=0", "ftp_data_port=0", "file_open_mode=rw",
    ])
    func aNumberThatCannotBeMeantIsRefused(text: String) throws {
        let report = try Fixture().read(text)
        #expect(report.problems.count == 1)
        #expect(report.problems.first?.text.contains("; write ") == true)
    }

    @Test func anEmptyTextUnsetsTheOption() throws {
        let report = try Fixture().read("local_root=\nuser_sub_token=   \ndeny_file=\n")
        #expect(report.problems.map(\.text) == [])
        #expect(report.configuration.login.localRoot == nil)
        #expect(report.configuration.login.userSubToken == nil)
    }

    @Test func theLaterOfTwoAssignmentsWinsAndBothLinesAreNamed() throws {
        let fixture = try Fixture()
        let report = try fixture.read("listen_port=2121\nhide_ids=YES\nlisten_port=2122\n")
        #expect(report.configuration.listening.port == 2122)
        #expect(report.origin(of: "listen_port") == fixture.line(5))
        #expect(
            report.warnings.map(\.text) == [
                "\(fixture.line(3)): listen_port=2121: ignored: listen_port is set again at "
                    + fixture.line(5)
            ]
        )
    }

    @Test func twoSpellingsOfOneOptionAreOneOption() throws {
        let fixture = try Fixture()
        let report = try fixture.read("ssl_tlsv12=YES\nssl_tlsv1_2=NO\n")
        #expect(!report.configuration.tls.allows12)
        #expect(report.warnings.map(\.origin) == [fixture.line(3)])
        #expect(report.origin(of: "ssl_tlsv12") == fixture.line(4))
    }

    @Test func theCommandLineComesAfterTheFile() throws {
        let fixture = try Fixture()
        let report = try fixture.read(
            "listen_port=2121\nguest_enable=YES\n",
            settings: ["listen_port = 0", "guest_enable=NO", "ftpd_banner=a # b"]
        )
        #expect(report.problems.map(\.text) == [])
        #expect(report.configuration.listening.port == 0)
        #expect(report.origin(of: "listen_port") == "--set")
        #expect(report.configuration.session.banner == "a # b")
        #expect(report.entry("ftpd_banner")?.text == "--set: ftpd_banner=a # b: honoured")
    }

    @Test func aLineThatIsNoAssignmentIsRefusedWithoutRepeatingIt() throws {
        let fixture = try Fixture()
        let report = try fixture.read("hunter2\n=YES\n")
        #expect(report.problems.map(\.origin) == [fixture.line(3), fixture.line(4)])
        #expect(report.problems.allSatisfy { !$0.text.contains("hunter2") })
    }

    @Test func allProblemsAreReportedNotOnlyTheFirst() throws {
        let fixture = try Fixture()
        let report = try fixture.read("lissten=YES\nlisten_port=abc\nhttp_enable=YES\n")
        #expect(report.problems.map(\.origin) == (3...5).map(fixture.line))
    }

    @Test func controlCharactersAreRefusedAndNeverPrinted() throws {
        let fixture = try Fixture()
        let report = try fixture.read("ftpd_banner=\u{1B}[2Jhello\nbad\u{7}name=1\n")
        #expect(report.problems.map(\.origin) == [fixture.line(3), fixture.line(4)])
        #expect(report.configuration.session.banner == nil)
        for problem in report.problems {
            #expect(problem.text.unicodeScalars.allSatisfy { $0.value >= 0x20 })
        }
    }

    @Test func aFileWithBareCarriageReturnsIsNoSingleComment() throws {
        let fixture = try Fixture()
        let report = try fixture.readAlone(Array("# old\rssl_enable=YES\rlisten=YES\r\n".utf8))
        #expect(report.problems.contains { $0.origin == fixture.line(1) })
    }

    @Test func aValueThatIsNotUTF8IsRefused() throws {
        let fixture = try Fixture()
        let bytes = Array("\(fixture.necessities)local_root=/srv/caf".utf8) + [0xE9, 0x0A]
        let report = try fixture.readAlone(bytes)
        #expect(report.problems.map(\.origin) == [fixture.line(3)])
        #expect(report.problems.first?.text.contains("UTF-8") == true)
    }

    @Test func aLongValueIsShortenedInTheReportAlone() throws {
        let banner = String(repeating: "x", count: 5000)
        let report = try Fixture().read("ftpd_banner=\(banner)\n")
        #expect(report.configuration.session.banner == banner)
        #expect((report.entry("ftpd_banner")?.text.count ?? 9999) < 500)
    }

    @Test func noBytesWhatsoeverStopTheReader() throws {
        let fixture = try Fixture()
        let words = ["listen", "local_umask", "cmds_denied", "=", " = ", "#", " #", "\n", "\r\n"]
        let pieces = words.map { Array($0.utf8) } + [[0xFF], [0xE2, 0x82], [0x80], [0x1B], [0x30]]
        var state: UInt64 = 42
        for _ in 0..<300 {
            var bytes: [UInt8] = []
            for _ in 0..<60 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes += pieces[Int(state >> 33) % pieces.count]
            }
            let report = try fixture.readAlone(bytes)
            #expect(report.entries.allSatisfy { !$0.text.contains("\n") })
        }
    }
}
