import FTPProtocol
import LinuxSystem

@testable import Authentication
@testable import FileSystem
@testable import Isolation
@testable import TLS

/// A message of any channel is refused, or means the same once it is written and read again.
///
/// The first byte of the input names the channel, the others are the message.
enum MessagesTarget {
    static func run(_ input: [UInt8]) throws {
        let message = Array(input.dropFirst())
        switch (input.first ?? 0) % 15 {
        case 0: try request(message)
        case 1: try check(message, WardenReply.init(decoding:), \.encoded)
        case 2: try file(message)
        case 3: try check(message, FileReply.init(decoding:), \.encoded)
        case 4: try check(message, CensusReport.init(decoding:), \.encoded)
        case 5: try check(message, CensusAnswer.init(decoding:), \.encoded)
        case 6: try check(message, CertificateFinding.init(decoding:), \.encoded)
        case 7: try check(message, SignatureRequest.init(decoding:), \.encoded)
        case 8: try check(message, VirtualUserCheck.init(decoding:), \.encoded)
        case 9: try check(message, AuditRecord.init(decoding:), \.encoded)
        case 10: try check(message, AuditAnswer.init(decoding:), \.encoded)
        case 11: try failure(message)
        case 12: try check(message, AdminRequest.init(decoding:), \.encoded)
        case 13: try check(message, AdminAnswer.init(decoding:), \.encoded)
        default: try check(message, EventReport.init(decoding:), \.encoded)
        }
    }

    private static func check<Value: Equatable>(
        _ message: [UInt8],
        _ decode: ([UInt8]) throws(MessageError) -> Value,
        _ encode: (Value) -> [UInt8]
    ) throws {
        guard let value = try? decode(message) else { return }
        let again = try? decode(encode(value))
        try claim(again == value, "\(value) becomes \(String(describing: again))")
    }

    private static func request(_ message: [UInt8]) throws {
        guard let request = try? WardenRequest(decoding: message) else { return }
        let again = try WardenRequest(decoding: request.encoded)
        try claim(again.encoded == request.encoded, "written it is another request")
        try claim(again.kind == request.kind, "written it is of another kind")
        switch request {
        case .authenticate(let attempt):
            try claim(UserName.isAcceptable(attempt.user), "a name that must not reach PAM")
            let isText = unsafe attempt.password.withBytes { unsafe !$0.contains(0) }
            try claim(isText, "a password that ends early")
        case .admit(let user): try claim(UserName.isAcceptable(user), "a name that is none")
        case .charge(let count): try claim(count > 0, "a charge for nothing")
        case .log(_, let text), .logAction(_, let text):
            try claim(text.utf8.count <= WardenRequest.maximumLogByteCount, "a line is too long")
        case .recordLine(_, let text):
            try claim(text.count <= WardenRequest.maximumLineByteCount, "a line is too long")
        case .record(let action):
            try claim(action.kind == .rename || action.target == nil, "a second name for nothing")
            try claim(action.kind == .changeMode || action.mode == 0, "a mode for nothing")
            try claim(action.mode <= 0o7777, "a mode that is none")
        case .audit(let action):
            try claim(action.code == 0 || action.code >= 200, "a reply that is none")
            try claim(action.digest.isEmpty || action.digest.count == 32, "half a hash")
            let line = action.members.encoded
            try claim(line.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a record is no line")
            try claim(String(validating: line, as: UTF8.self) != nil, "a record is not UTF-8")
            try claim(line.count <= AuditRecord.maximumByteCount, "a record is too long")
        case .showCertificate(let recording):
            let isShort = recording.count <= WardenRequest.maximumRecordingByteCount
            try claim(isShort, "a recording is too long")
        case .endLogin, .listenForData, .connectForData, .listSessions, .client,
            .accountName, .answer, .giveUp, .markClear, .noteTLS, .handshake:
            break
        }
    }

    private static func file(_ message: [UInt8]) throws {
        guard let request = try? FileRequest(decoding: message) else { return }
        try claim((try? FileRequest(decoding: request.encoded)) == request, "another request")
    }

    private static func failure(_ message: [UInt8]) throws {
        guard let failure = SignerFailure(report: message), !failure.text.contains("\u{FFFD}"),
            failure.text.utf8.count <= 4_096
        else { return }
        try claim(SignerFailure(report: failure.encoded) == failure, "another failure")
    }
}
