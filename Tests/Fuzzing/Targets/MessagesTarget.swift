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
        switch (input.first ?? 0) % 10 {
        case 0: try request(message)
        case 1: try check(message, WardenReply.init(decoding:), \.encoded)
        case 2: try file(message)
        case 3: try check(message, FileReply.init(decoding:), \.encoded)
        case 4: try check(message, CensusReport.init(decoding:), \.encoded)
        case 5: try check(message, CensusAnswer.init(decoding:), \.encoded)
        case 6: try check(message, CertificateFinding.init(decoding:), \.encoded)
        case 7: try check(message, SignatureRequest.init(decoding:), \.encoded)
        case 8: try check(message, VirtualUserCheck.init(decoding:), \.encoded)
        default: try failure(message)
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
        case .showCertificate(let recording):
            let isShort = recording.count <= WardenRequest.maximumRecordingByteCount
            try claim(isShort, "a recording is too long")
        case .endLogin, .listenForData, .connectForData, .listSessions, .shareRate, .client,
            .accountName, .answer, .giveUp, .markClear:
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
