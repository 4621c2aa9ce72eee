import FTPProtocol
import Testing

@Suite("Lines as vsftpd 3.0.3 writes them, xferlog(5)")
struct TransferLogTests {
    private static let peer = IPAddress.v4(0x7F00_0001)
    private static let client = LoggedClient(peer, user: "jo")

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func action(
        _ kind: LoggedAction.Kind,
        _ path: String,
        isDone: Bool = true,
        _ complete: (inout LoggedAction) -> Void = { _ in }
    ) throws -> LoggedAction {
        var action = LoggedAction(kind, try #require(VirtualPath(path)), isDone: isDone)
        complete(&action)
        return action
    }

    @Test func dates() {
        #expect(Timestamp(seconds: 1_795_294_914).logDate == "Sat Nov 21 21:01:54 2026")
        #expect(Timestamp(seconds: 0).logDate == "Thu Jan  1 00:00:00 1970")
        #expect(Timestamp(seconds: -1).logDate == "Wed Dec 31 23:59:59 1969")
        #expect(Timestamp(seconds: 1_795_294_914).syslogDate == "Nov 21 21:01:54")
        for seconds in [Int64.min, .max] { #expect(!Timestamp(seconds: seconds).logDate.isEmpty) }
    }

    @Test func transfers() throws {
        let upload = try Self.action(.upload, "/a b\u{1}ü.txt") {
            $0.byteCount = 100_000
            $0.nanoseconds = 2_000_000_000
        }
        let now = Timestamp(seconds: 1_795_294_914)
        #expect(
            Self.text(upload.standardLine(about: Self.client, at: now))
                == "Sat Nov 21 21:01:54 2026 2 127.0.0.1 100000 /a_b?ü.txt b _ i r jo ftp 0 * c"
        )
        #expect(
            Self.text(TransferLogEvent.action(upload).line(about: Self.client))
                == """
                [jo] OK UPLOAD: Client "127.0.0.1", "/a b?ü.txt", 100000 bytes, 48.83Kbyte/sec
                """
        )
        let failed = try Self.action(.download, "/nn", isDone: false) { $0.isASCII = true }
        let guest = LoggedClient(Self.peer, user: "jo m", access: .guest)
        #expect(
            Self.text(failed.standardLine(about: guest, at: now))
                == "Sat Nov 21 21:01:54 2026 1 127.0.0.1 0 /nn a _ o g jo_m ftp 0 * i"
        )
        #expect(
            Self.text(TransferLogEvent.action(failed).line(about: guest))
                == "[jo m] FAIL DOWNLOAD: Client \"127.0.0.1\", \"/nn\", 0.00Kbyte/sec"
        )
    }

    @Test func theLargestNumbersTrapNothing() throws {
        let action = try Self.action(.upload, "/") {
            $0.byteCount = .max
            $0.nanoseconds = .max
        }
        #expect(!action.standardLine(about: Self.client, at: Timestamp(seconds: .max)).isEmpty)
        var fast = action
        fast.nanoseconds = 1
        #expect(!TransferLogEvent.action(fast).line(about: Self.client).isEmpty)
    }

    @Test func whatIsDoneToNames() throws {
        let renamed = try Self.action(.rename, "/asc") { $0.target = VirtualPath("/asc 2") }
        let mode = try Self.action(.changeMode, "/asc 2") { $0.mode = 0o644 }
        let events: [(TransferLogEvent, String)] = [
            (.action(renamed), "[jo] OK RENAME: Client \"127.0.0.1\", \"/asc /asc 2\""),
            (.action(mode), "[jo] OK CHMOD: Client \"127.0.0.1\", \"/asc 2 644\""),
            (.login(isDone: false), "[jo] FAIL LOGIN: Client \"127.0.0.1\""),
            (
                .command(Array("STOR a\"".utf8)),
                "[jo] FTP command: Client \"127.0.0.1\", \"STOR a\"\""
            ),
            (.reply(Array("226 ok".utf8)), "[jo] FTP response: Client \"127.0.0.1\", \"226 ok\""),
        ]
        for (event, line) in events { #expect(Self.text(event.line(about: Self.client)) == line) }
        #expect(
            Self.text(
                TransferLogEvent.connection(refusal: nil).line(about: LoggedClient(Self.peer))
            )
                == "CONNECT: Client \"127.0.0.1\""
        )
    }

    @Test func aUserNameCannotPassForWhatStandsBehindIt() {
        let user = "x] OK LOGIN: Client \"192.0.2.1\"\n"
        let line = TransferLogEvent.login(isDone: false).line(
            about: LoggedClient(Self.peer, user: user)
        )
        #expect(
            Self.text(line)
                == "[x? OK LOGIN: Client ?192.0.2.1??] FAIL LOGIN: Client \"127.0.0.1\""
        )
    }

    @Test(
        arguments: [
            ([0x41, 0xFF, 0xC3, 0xBC], "A?ü"), ([0xC3], "?"), ([0x0A, 0x0D, 0x00, 0x7F], "????"),
            ([0xC2, 0x85], "??"), ([0xE2, 0x80, 0xAE], "???"), ([], ""),
        ] as [([UInt8], String)]
    )
    func everyByteThatIsNoTextIsAMark(bytes: [UInt8], shown: String) {
        #expect(Self.text(LogText.masked(bytes)) == shown)
    }

    @Test func passwordsAreNoPartOfTheConversation() throws {
        for line in ["PASS secret", "PASSsecret", "pass secret", "ACCT secret", "ADAT secret"] {
            let command = try Command(line: Array(line.utf8))
            #expect(!Self.text(command.protocolText).contains("secret"))
        }
        #expect(
            Self.text(try Command(line: Array("PASS x".utf8)).protocolText) == "PASS <password>"
        )
    }
}
