internal import FTPProtocol
internal import LinuxSystem

/// One record on its way to the Auditor.
struct AuditRecord: Hashable {
    /// The longest record, in bytes.
    static let maximumByteCount = 60_000

    /// Which record of its sender it is, from 1.
    let number: UInt64
    /// Who sends it.
    let session: String
    /// Its members, from `time` on.
    let members: [UInt8]

    /// Makes a record of what happens now.
    init(_ event: String, _ number: UInt64, of session: String, _ details: JSONObject) {
        var object = JSONObject()
        let now = microsecondsSinceEpoch()
        object.put(
            "time",
            Timestamp(seconds: now.seconds).auditDate(microseconds: now.microseconds)
        )
        object.put("event", event)
        object.put("session", session)
        object.put("n", number)
        object.put(contentsOf: details)
        self.number = number
        self.session = session
        members = object.members
    }

    /// The message.
    var encoded: [UInt8] {
        var writer = MessageWriter(tag: Self.tag)
        writer.put(number)
        writer.put(session)
        writer.put(members)
        return writer.bytes
    }

    /// Reads one whole message.
    init(decoding message: [UInt8]) throws(MessageError) {
        var reader = try MessageReader(message)
        guard reader.tag == Self.tag else { throw .unknownTag(reader.tag) }
        number = try reader.take()
        session = try reader.takeString(maximum: 64)
        members = try reader.takeBytes(maximum: Self.maximumByteCount)
        // Whatever else is wrong with it, it stays one line.
        guard members.first == UInt8(ascii: "\""), members.allSatisfy({ $0 >= 0x20 }) else {
            throw .invalidValue
        }
        try reader.finish()
    }

    private static let tag: UInt8 = 1
}

/// What the Auditor says of a record.
enum AuditAnswer: Hashable {
    /// It stands in the file.
    case written(UInt64)
    /// It does not, and never will.
    case lost(UInt64)
    /// Another Auditor has begun; what was not answered has to be sent again.
    case again
    /// Whether records can be written at present; said to the Listener alone.
    case state(isWriting: Bool)
    /// Whether the file is free for another server; said to the Listener alone.
    case branched(isDone: Bool)

    /// The message.
    var encoded: [UInt8] {
        switch self {
        case .written(let number), .lost(let number):
            var writer = MessageWriter(tag: self == .written(number) ? 1 : 2)
            writer.put(number)
            return writer.bytes
        case .again: return [3]
        case .state(let isWriting): return [4, isWriting ? 1 : 0]
        case .branched(let isDone): return [5, isDone ? 1 : 0]
        }
    }

    /// Reads one whole message.
    init(decoding message: [UInt8]) throws(MessageError) {
        var reader = try MessageReader(message)
        switch reader.tag {
        case 1: self = .written(try reader.take())
        case 2: self = .lost(try reader.take())
        case 3: self = .again
        case 4: self = .state(isWriting: try reader.takeBool())
        case 5: self = .branched(isDone: try reader.takeBool())
        case let tag: throw .unknownTag(tag)
        }
        try reader.finish()
    }
}

/// What the Listener tells the Auditor besides records, each with a descriptor.
enum AuditOrder: UInt8 {
    /// The channel of a session comes along.
    case serve = 2
    /// Another file comes along, to go on in.
    case rotate = 3
    /// Another file comes along, to go on in, while another server goes on in this one; the name of
    /// the branch follows.
    case branch = 4
}
