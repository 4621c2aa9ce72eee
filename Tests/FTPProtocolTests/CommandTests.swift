import FTPProtocol
import TestSupport
import Testing

@Suite("Commands, RFC 959 section 5.3")
struct CommandTests {
    @Test(
        arguments: [
            ("NOOP", "NOOP", Verb.noop, ""),
            ("noop", "NOOP", .noop, ""),
            ("USER anonymous", "USER", .user, "anonymous"),
            ("RETR  two spaces ", "RETR", .retr, " two spaces "),
            ("CWD ", "CWD", .cwd, ""),
            ("CWD  ", "CWD", .cwd, " "),
            ("xmkd a", "XMKD", .mkd, "a"),
            ("FROB x", "FROB", nil, "x"),
            ("STOR \ttab\u{1}", "STOR", .stor, "\ttab\u{1}"),
            ("A234567890123456 x", "A234567890123456", nil, "x"),
        ] as [(String, String, Verb?, String)]
    )
    func areTakenApartAtTheFirstSpace(
        line: String,
        name: String,
        verb: Verb?,
        argument: String
    ) throws {
        let command = try Command(line: bytes(line))
        #expect(command.name == bytes(name))
        #expect(command.verb == verb)
        #expect(command.argument == bytes(argument))
    }

    @Test func keepArgumentsThatAreNotUTF8() throws {
        let argument: [UInt8] = [0xC3, 0x28, 0xFF, 0x80]
        #expect(try Command(line: bytes("RETR ") + argument).argument == argument)
    }

    @Test(arguments: [
        ("", CommandError.empty),
        (" ", .malformedVerb),
        (" USER x", .malformedVerb),
        ("US-R x", .malformedVerb),
        ("US@R x", .malformedVerb),
        ("P@SWX", .malformedVerb),
        ("USER\tx", .malformedVerb),
        ("USER\0", .malformedVerb),
        ("USER\r", .malformedVerb),
        ("ÜSER x", .malformedVerb),
        ("M\u{212A}D x", .malformedVerb),
        ("A2345678901234567", .malformedVerb),
        ("GET/ HTTP/1.1", .malformedVerb),
        ("USER a\0b", .forbiddenByte),
        ("USER a\rb", .forbiddenByte),
        ("USER a\r", .forbiddenByte),
        ("USER a\nQUIT", .forbiddenByte),
        ("RETR \0", .forbiddenByte),
    ])
    func thatAreNoneAreRefused(line: String, error: CommandError) {
        #expect(throws: error) { try Command(line: bytes(line)) }
    }

    @Test(arguments: [
        ("PASS secret", "PASS ****"),
        ("pass secret", "PASS ****"),
        ("PASS", "PASS ****"),
        ("PASSsecret", "PASS ****"),
        ("passsecret and more", "PASS ****"),
        ("ACCT secret", "ACCT ****"),
        ("ADAT c2VjcmV0", "ADAT ****"),
        ("PASV", "PASV"),
        ("USER secret", "USER secret"),
        ("cwd a b ", "CWD a b "),
        ("CWD a\"b\\c", "CWD a\\\"b\\\\c"),
        ("CWD a\u{1B}[31mb\u{7F}\t", "CWD a\\x1B[31mb\\x7F\\x09"),
        ("CWD é漢😀", "CWD é漢😀"),
        ("CWD \u{85}\u{9B}2J", "CWD \\xC2\\x85\\xC2\\x9B2J"),
        ("CWD a\u{202E}gpj.exe\u{2028}", "CWD a\\xE2\\x80\\xAEgpj.exe\\xE2\\x80\\xA8"),
    ])
    func areLoggedWithoutSecretsAndControlCharacters(line: String, logged: String) throws {
        #expect(try Command(line: bytes(line)).logText == logged)
    }

    @Test func areLoggedWithBytesThatAreNotUTF8InHexadecimal() throws {
        let broken: [([UInt8], String)] = [
            ([0xFF], "CWD \\xFF"), ([0xC3], "CWD \\xC3"), ([0xC3, 0x28], "CWD \\xC3("),
            ([0xE2, 0x82], "CWD \\xE2\\x82"), ([0x80, 0x41], "CWD \\x80A"),
            ([0xC0, 0xAF], "CWD \\xC0\\xAF"), ([0xED, 0xA0, 0x80], "CWD \\xED\\xA0\\x80"),
            ([0xF4, 0x90, 0x80, 0x80, 0x42], "CWD \\xF4\\x90\\x80\\x80B"),
            ([0xC3, 0xA9, 0xFF, 0xC3, 0xA9], "CWD é\\xFFé"),
        ]
        for (argument, logged) in broken {
            #expect(try Command(line: bytes("CWD ") + argument).logText == logged)
        }
    }

    @Test func areCutInTheLogWithoutBreakingACharacter() throws {
        let exact = "CWD " + String(repeating: "x", count: 508)
        #expect(try Command(line: bytes(exact)).logText == exact)
        #expect(try Command(line: bytes(exact + "y")).logText == exact + "…")
        let wide = "CWD " + String(repeating: "x", count: 507) + "é"
        #expect(try Command(line: bytes(wide)).logText == wide.dropLast() + "…")
        let hidden = try Command(line: bytes("CWD ") + [UInt8](repeating: 1, count: 4_000)).logText
        #expect(hidden == "CWD " + String(repeating: "\\x01", count: 127) + "…")
    }

    @Test func neverPutRawControlBytesIntoTheLog() throws {
        var generator = FixedGenerator(seed: 5)
        for _ in 0..<500 {
            let argument = (0..<40).map { _ in UInt8.random(in: 1...255, using: &generator) }
                .filter { $0 != 0x0A && $0 != 0x0D }
            let logged = try Command(line: bytes("CWD ") + argument).logText
            let hasControl = logged.unicodeScalars.contains {
                $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) || $0 == "\u{FFFD}"
            }
            #expect(!hasControl, "\(argument)")
        }
    }

    @Test func ofRFC775MeanTheirLaterForms() {
        let pairs: [(String, Verb)] = [
            ("XPWD", .pwd), ("XCWD", .cwd), ("XCUP", .cdup), ("XMKD", .mkd), ("XRMD", .rmd),
            ("xpwd", .pwd), ("P@SW", .pasv), ("p@sw", .pasv),
        ]
        for (name, verb) in pairs { #expect(Verb(name: bytes(name)) == verb) }
    }

    @Test func areFoundByTheirOwnNameOnly() {
        for verb in Verb.allCases {
            #expect(Verb(name: bytes(verb.rawValue)) == verb)
            #expect(Verb(name: bytes(verb.rawValue.lowercased())) == verb)
            #expect("\(verb)" == verb.rawValue.lowercased())
        }
        // The Kelvin sign equals K to a String, and a soft hyphen vanishes in some comparisons.
        for name in ["", "M\u{212A}D", "US\u{AD}ER", "USERS", "XRETR", "LPRT"] {
            #expect(Verb(name: bytes(name)) == nil)
        }
    }
}

@Suite("The table of commands")
struct CommandTableTests {
    @Test func hasOneRowForEachVerb() {
        #expect(CommandTable.all.map(\.verb) == Verb.allCases)
        #expect(Verb.allCases.count == 71)
    }

    @Test func saysWhatWorksBeforeLogin() {
        let open = CommandTable.all.filter { !$0.needsLogin }.map(\.verb)
        let expected: Set<Verb> = [
            .user, .pass, .quit, .rein, .noop, .syst, .help, .feat, .opts, .stat, .auth, .pbsz,
            .prot, .ccc, .host, .lang, .clnt, .csid, .acct,
        ]
        #expect(Set(open) == expected)
    }

    @Test func saysWhatIsAnsweredDuringATransfer() {
        let verbs = CommandTable.all.filter(\.duringTransfer).map(\.verb)
        #expect(Set(verbs) == [.abor, .stat, .quit, .noop])
    }

    @Test func saysWhatIsNotImplemented() {
        let verbs = CommandTable.all.filter { !$0.isImplemented }.map(\.verb)
        #expect(Set(verbs) == [.smnt, .adat, .mic, .conf, .enc, .mfct])
    }

    @Test func showsEachArgumentAsTheRuleSays() {
        for rule in CommandTable.all {
            let words = rule.syntax.split(separator: " ", maxSplits: 1)
            #expect(words.first.map(String.init) == rule.verb.rawValue)
            #expect(rule.summary.hasSuffix("."))
            switch rule.argument {
            case .none: #expect(words.count == 1)
            case .required: #expect(words.count == 2 && !words[1].hasPrefix("["))
            case .optional:
                // PASS may be empty, which is an empty password and not an option of the command.
                #expect(words.count == 2 && (words[1].hasPrefix("[") || rule.verb == .pass))
            }
        }
    }

    @Test func aPreludeNamesNoUserAndTouchesNoFile() {
        for verb in [Verb.auth, .feat, .help, .quit, .pbsz, .prot, .host, .syst, .noop] {
            #expect(CommandTable.isPrelude(verb), "\(verb)")
        }
        for verb in [Verb.user, .pass, .acct, .pwd, .retr, .stor, .port, .adat] {
            #expect(!CommandTable.isPrelude(verb), "\(verb)")
        }
    }

    @Test func knowsTheCommandsBehindSite() {
        #expect(SiteCommand(name: bytes("chmod")) == .chmod)
        #expect(SiteCommand(name: bytes("HELP")) == .help)
        #expect(SiteCommand(name: bytes("EXEC")) == nil)
        #expect(SiteCommand(name: []) == nil)
        for command in SiteCommand.allCases {
            #expect(command.syntax.hasPrefix("SITE \(command.rawValue)"))
            #expect(command.summary.hasSuffix("."))
        }
    }
}
