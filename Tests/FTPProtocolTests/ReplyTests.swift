import FTPProtocol
import TestSupport
import Testing

@Suite("Replies, RFC 959 section 4.2")
struct ReplyTests {
    @Test func ofOneLineAreCodeSpaceText() {
        #expect(text(Reply(220, "Ready.").encoded) == "220 Ready.\r\n")
        #expect(text(Reply(200, "").encoded) == "200 \r\n")
    }

    @Test func ofSeveralLinesMarkTheFirstAndTheLast() {
        #expect(text(Reply(211, "One", "Two").encoded) == "211-One\r\n211 Two\r\n")
    }

    @Test func indentLinesBetweenByExactlyOneSpace() {
        let reply = Reply(211, lines: ["Features:", "SIZE", " MDTM", "  deep", "", "End"])
        #expect(
            text(reply.encoded)
                == "211-Features:\r\n SIZE\r\n MDTM\r\n  deep\r\n \r\n211 End\r\n"
        )
    }

    @Test func cannotBeEndedEarlyByTextThatLooksLikeTheEnd() {
        let reply = Reply(213, lines: ["Status", "213 Done", "500 No", "End"])
        #expect(text(reply.encoded) == "213-Status\r\n 213 Done\r\n 500 No\r\n213 End\r\n")
    }

    @Test(arguments: [
        ("a\r\n230 Logged in.", "a??230 Logged in."),
        ("a\nb", "a?b"),
        ("a\rb", "a?b"),
        ("nul\0tab\tescape\u{1B}[2J\u{7F}", "nul?tab?escape?[2J?"),
        ("e\u{301}\r\u{301}", "e\u{301}?\u{301}"),
        ("漢字 \"é\"", "漢字 \"é\""),
    ])
    func cannotCarryAControlCharacter(given: String, sent: String) {
        let reply = Reply(550, given)
        #expect(reply.lines == [ReplyText(sent)])
        #expect(reply.encoded == bytes("550 \(sent)\r\n"))
        #expect(
            Reply(550, lines: ["x", given, "y"]).encoded == bytes("550-x\r\n \(sent)\r\n550 y\r\n")
        )
    }

    @Test func haveAsManyLineEndsAsLinesWhateverTheText() {
        var generator = FixedGenerator(seed: 6)
        for _ in 0..<300 {
            let lines = (1...Int.random(in: 1...4, using: &generator)).map { _ in
                text((0..<12).map { _ in UInt8.random(in: 0...255, using: &generator) })
            }
            let encoded = Reply(450, lines: lines).encoded
            #expect(encoded.count(where: { $0 == 0x0A }) == lines.count)
            #expect(encoded.count(where: { $0 == 0x0D }) == lines.count)
            #expect(!encoded.contains(0xFF) && !encoded.contains(0))
        }
    }

    @Test func carryNamesByteForByte() throws {
        let path = try VirtualPath.root.resolving([0x61, 0xE9, 0x09, 0x1B, 0x22, 0xFF, 0x2F, 0x7F])
        let name: [UInt8] = [0x2F, 0x61, 0xE9, 0x09, 0x1B]
        #expect(
            Reply(250, "got \(path: path)!").encoded
                == bytes("250 got ") + name + [0x22, 0xFF, 0xFF, 0x2F, 0x7F] + bytes("!\r\n")
        )
        #expect(
            Reply(257, "\(quoting: path) is here").encoded
                == bytes("257 \"") + name + [0x22, 0x22, 0xFF, 0xFF, 0x2F, 0x7F]
                + bytes("\" is here\r\n")
        )
    }

    @Test func cannotBeEndedByANameOnTheDisk() {
        let name: [UInt8] = [0x61, 0x0D, 0x0A, 0x00, 0xC3, 0xA9]
        let sent: [UInt8] = [0x61, 0x3F, 0x3F, 0x3F, 0xC3, 0xA9, 0x0D, 0x0A]
        #expect(Reply(250, "\(name: name)").encoded == bytes("250 ") + sent)
        #expect(Reply(250, lines: [ReplyText(name: name)]).encoded == bytes("250 ") + sent)
    }

    @Test func keepTextAndNamesApart() {
        let text = "a\tb"
        #expect(
            Reply(200, "\(text) \(name: bytes(text))").lines == [ReplyText(name: bytes("a?b a\tb"))]
        )
        #expect(Reply(200, "\(UInt8(7)) of \(Optional(3) ?? 0)").lines == ["7 of 3"])
    }

    @Test func reachFrom100To559() {
        #expect(text(Reply(100, "x").encoded) == "100 x\r\n")
        #expect(text(Reply(559, "x").encoded) == "559 x\r\n")
    }

    @Test func withACodeBelowTheRangeAreAProgrammersError() async {
        await #expect(processExitsWith: .failure) { _ = Reply(99, "no") }
    }

    @Test func withACodeAboveTheRangeAreAProgrammersError() async {
        await #expect(processExitsWith: .failure) { _ = Reply(560, "no") }
    }

    @Test func withoutALineAreAProgrammersError() async {
        await #expect(processExitsWith: .failure) { _ = Reply(200, lines: [] as [ReplyText]) }
    }
}

@Suite("Features, RFC 2389 section 3.2")
struct FeaturesTests {
    @Test func nameEveryExtension() {
        let lines = Features(tlsAvailable: true, machineFacts: [.type, .size]).lines
        #expect(
            lines == [
                "AUTH TLS", "AUTH SSL", "AVBL", "CLNT", "CSID", "EPRT", "EPSV", "ESTA",
                "ESTP", "HASH SHA-256*;SHA-512;SHA-1;MD5;CRC32", "HOST", "LANG EN*", "MD5", "MDTM",
                "MFF Modify;UNIX.group;UNIX.mode;", "MFMT",
                "MLST type*;size*;modify;perm;unique;UNIX.mode;UNIX.owner;UNIX.group;",
                "PBSZ", "PROT", "PRET", "RANG STREAM", "REST STREAM", "SIZE", "TVFS", "UTF8",
                "XCRC",
                "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512",
            ]
        )
    }

    @Test func doNotNameWhatIsSwitchedOff() {
        let features = Features(tlsAvailable: false, machineFacts: .standard) {
            [.mdtm, .mlst, .size, .auth, .pbsz, .prot].contains($0)
        }
        #expect(features.lines.map { $0.prefix(4) } == ["MDTM", "MLST", "SIZE", "TVFS", "UTF8"])
    }

    @Test func nameCompressionWhereItIsWishedFor() {
        var features = Features(tlsAvailable: false, machineFacts: .standard)
        #expect(!features.lines.contains("MODE Z"))
        features.compresses = true
        #expect(features.lines.contains("MODE Z"))
    }

    @Test func areSentWithOneSpaceInFront() {
        let lines = Features(tlsAvailable: true, machineFacts: .standard).lines
        let sent = text(Reply(211, lines: ["Extensions:"] + lines + ["End."]).encoded)
        let middle = sent.split(separator: "\r\n").dropFirst().dropLast()
        #expect(middle.map { String($0.dropFirst()) } == lines)
        #expect(middle.allSatisfy { $0.hasPrefix(" ") })
    }
}
