import FTPProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import Isolation

@Suite("Lines of the audit trail")
struct AuditLineTests {
    private static func record(_ number: UInt64 = 1) -> AuditRecord {
        var object = JSONObject()
        object.put("path", bytes: [0x2F, 0xFF, 0x22])
        return AuditRecord("delete", number, of: "abc", object)
    }

    @Test func whatIsWrittenIsRead() throws {
        var chain = AuditChain(next: 41, last: AuditChain.hash([1]))
        let line = try #require(AuditLine(chain.line(Self.record(7).members)))
        #expect(line.number == 41 && line.event == "delete" && line.session == "abc")
        #expect(line.sessionNumber == 7 && line.isIntact)
        #expect(line.previous == AuditChain.hash([1]) && line.hash == chain.last)
        #expect(chain.next == 42)
        #expect(line.rest == bytes(#","path":"/\#u{FFFD}\"","path_hex":"2fff22""#))
    }

    @Test func everyCutIsNoLineAndEveryChangeIsSeen() throws {
        var chain = AuditChain()
        let line = chain.line(Self.record().members)
        for count in 0..<line.count { #expect(AuditLine([UInt8](line.prefix(count))) == nil) }
        #expect(AuditLine(line + [0x20]) == nil)
        for index in line.indices {
            var changed = line
            changed[index] ^= 1
            #expect(AuditLine(changed)?.isIntact != true)
        }
    }

    @Test(arguments: ["", "{}", "{\"v\":2,\"seq\":1", "{\"v\":1,\"seq\":01", "{\"v\":1,\"seq\":-1"])
    func whatIsNoRecordIsNone(text: String) {
        let tail =
            ",\"prev\":\"\(String(repeating: "0", count: 64))\",\"hash\":\""
            + "\(String(repeating: "0", count: 64))\"}"
        #expect(AuditLine(bytes(text)) == nil)
        #expect(AuditLine(bytes(text + tail)) == nil)
    }

    private static func line(_ event: String, _ complete: (inout JSONObject) -> Void) -> AuditLine?
    {
        var object = JSONObject()
        complete(&object)
        var chain = AuditChain()
        return AuditLine(chain.line(AuditRecord(event, 0, of: "auditor", object).members))
    }

    @Test(arguments: [nil, "branch", "lost_branch"], [false, true])
    func whatAStretchBeginsWithIsRead(member: String?, hasKey: Bool) throws {
        let key = AuditChain.hash([2])
        let torn: UInt64? = hasKey ? nil : 13
        let line = try #require(
            Self.line("open") {
                $0.put("reason", "start")
                $0.put("after", "seal")
                if let member { $0.put(member, "k7m2xq9d") }
                if let torn { $0.put("torn_bytes", torn) }
                if hasKey { $0.put("key", String(decoding: key, as: UTF8.self)) }
            }
        )
        let opening = try #require(AuditOpening(line))
        #expect(opening.after == "seal" && opening.tornByteCount == torn)
        #expect(opening.branch == (member == "branch" ? "k7m2xq9d" : nil))
        #expect(opening.lostBranch == (member == "lost_branch" ? "k7m2xq9d" : nil))
        #expect(opening.key == (hasKey ? key : nil))
        #expect(AuditSeal(line) == nil)
    }

    @Test(arguments: [false, true], [false, true])
    func whatAStretchEndsWithIsRead(hasBranch: Bool, hasKey: Bool) throws {
        let key = AuditChain.hash([2])
        let line = try #require(
            Self.line("seal") {
                $0.put("reason", "handover")
                $0.put("records", 7 as UInt64)
                if hasBranch { $0.put("branch", "k7m2xq9d") }
                if hasBranch, hasKey { $0.put("branch_key", String(decoding: key, as: UTF8.self)) }
            }
        )
        let seal = try #require(AuditSeal(line))
        #expect(seal.recordCount == 7 && seal.branch == (hasBranch ? "k7m2xq9d" : nil))
        #expect(seal.branchKey == (hasBranch && hasKey ? key : nil))
        #expect(AuditOpening(line) == nil)
    }

    @Test func messagesArriveWholeAndEveryCutIsRefused() throws {
        let record = Self.record(9)
        let whole = record.encoded
        #expect(try AuditRecord(decoding: whole) == record)
        for count in 0..<whole.count {
            #expect(throws: MessageError.truncated) {
                try AuditRecord(decoding: [UInt8](whole.prefix(count)))
            }
        }
        var writer = MessageWriter(tag: 1)
        writer.put(UInt64(1))
        writer.put("abc")
        writer.put(bytes("\"a\":1\n{}"))
        #expect(throws: MessageError.invalidValue) { try AuditRecord(decoding: writer.bytes) }
        for answer in [
            AuditAnswer.written(7), .lost(.max), .again, .state(isWriting: true),
            .state(isWriting: false), .branched(isDone: true), .branched(isDone: false),
        ] {
            #expect(try AuditAnswer(decoding: answer.encoded) == answer)
        }
    }
}
