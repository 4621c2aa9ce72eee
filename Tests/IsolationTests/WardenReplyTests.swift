import Authentication
import FTPProtocol
import LinuxSystem
import Testing

@testable import Isolation

@Suite("Answers of a Warden")
struct WardenReplyTests {
    private static let samples: [WardenReply] = [
        .granted(terms(.all)), .granted(terms([])),
        .granted(terms(.readOnly, options: ["write_enable=NO", "x="])),
        .granted(terms(.readOnly, root: "/srv/ftp")),
        .refused(.incorrect, isLast: true), .refused(.incorrect, isLast: false),
        .refused(.accountExpired, isLast: false), .refused(.passwordExpired, isLast: true),
        .needsAccount, .loginEnded, .certificate(isProved: true), .certificate(isProved: false),
        .needsPassword,
        .listening(port: 1), .listening(port: 65_535),
        .listening(port: 1, announced: .v4(7)), .connecting,
        .noDataSocket(.rangeExhausted), .noDataSocket(.forbidden), .noDataSocket(.failed),
        .noDataSocket(.tooMany),
        .finish(.serverEnds), .finish(.makesRoom), .audited, .client(nil), .client(.banned),
        .charged(wait: 0, isCharged: true),
        .charged(wait: .max, isCharged: false),
        .sessions([]),
        .sessions([SessionEntry(identifier: "a", address: .v4(1), since: 5)]),
    ]

    @Test(arguments: samples)
    func whatIsWrittenIsRead(reply: WardenReply) throws {
        #expect(try WardenReply(decoding: reply.encoded) == reply)
    }

    @Test func twoAnswersNeverLookTheSame() {
        #expect(Set(Self.samples.map(\.encoded)).count == Self.samples.count)
    }

    @Test(arguments: samples)
    func everyCutAndEveryByteTooManyIsRefused(reply: WardenReply) {
        let whole = reply.encoded
        for count in 0..<whole.count {
            #expect(throws: MessageError.truncated) {
                try WardenReply(decoding: [UInt8](whole.prefix(count)))
            }
        }
        #expect(throws: MessageError.trailingBytes(count: 1)) {
            try WardenReply(decoding: whole + [0])
        }
    }

    @Test func unknownKindsAndValuesAreRefused() {
        for tag in 0...UInt8.max where !(1...16).contains(tag) || tag == 9 {
            #expect(throws: MessageError.unknownTag(tag)) { try WardenReply(decoding: [tag]) }
        }
        for failure in [0, 5, 255] as [UInt8] {
            #expect(throws: MessageError.invalidValue) { try WardenReply(decoding: [6, failure]) }
        }
        for message in [[2, 0, 0], [2, 5, 0], [2, 1, 2], [15, 10], [7, 0], [7, 5]] as [[UInt8]] {
            #expect(throws: MessageError.invalidValue) { try WardenReply(decoding: message) }
        }
    }
}
