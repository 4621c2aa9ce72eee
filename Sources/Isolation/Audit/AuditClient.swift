internal import FTPProtocol
internal import LinuxSystem

/// A Warden's way to the audit trail.
final class AuditClient {
    /// How long a Warden waits for an Auditor that does not answer, before it goes on without.
    private static let patience: Duration = .seconds(10)
    /// How long it does when the Auditor has not answered before.
    private static let impatience: Duration = .milliseconds(100)
    /// How long it does where it may not go on (`audit_required`), before the session ends.
    private static let requiredPatience: Duration = .seconds(60)
    /// How long it does once the server is to end.
    private static let lastPatience: Duration = .seconds(3)

    private let channel: MessageSocket
    private let session: String
    private let leash: CInt
    private var number: UInt64 = 0
    private var isUnanswered = false

    /// Whether nothing may happen that is not written.
    let isRequired: Bool

    init(_ channel: consuming MessageSocket, session: String, isRequired: Bool, leash: CInt) {
        self.channel = channel
        self.session = session
        self.isRequired = isRequired
        self.leash = leash
    }

    /// What became of a record.
    enum Outcome: Hashable {
        /// It stands in the file.
        case written
        /// The Auditor could not write it, and knows how many there were.
        case lost
        /// Nobody knows; this is the record.
        case unanswered(String)
    }

    /// Has a record written, and waits until it is.
    func record(_ event: String, _ details: JSONObject) -> Outcome {
        number += 1
        let record = AuditRecord(event, number, of: session, details)
        guard record.members.count <= AuditRecord.maximumByteCount else {
            return .unanswered("\(event): too long")
        }
        let text = String(decoding: record.members, as: UTF8.self)
        let patience = isUnanswered ? Self.impatience : Self.patience
        var deadline = Deadline(after: isRequired ? Self.requiredPatience : patience)
        var isEnding = false
        // Full only where nobody reads, and then nobody answers either.
        var isSent = (try? channel.sendNow(record.encoded)) != nil
        while !deadline.hasPassed {
            var entries = [
                PollEntry(channel.descriptor.number, reading: true, writing: !isSent),
                isEnding ? .none : PollEntry(leash, reading: true),
            ]
            guard (try? poll(&entries, until: deadline)) != nil else { break }
            if entries[1].isReadable {
                isEnding = true
                deadline = min(deadline, Deadline(after: Self.lastPatience))
            }
            if entries[0].isReadable {
                guard let message = try? channel.receive(),
                    let answer = try? AuditAnswer(decoding: message.bytes)
                else { break }
                isUnanswered = false
                switch answer {
                case .written(let number) where number == self.number: return .written
                case .lost(let number) where number == self.number: return .lost
                case .again: isSent = (try? channel.sendNow(record.encoded)) != nil
                case .written, .lost, .state, .branched: break
                }
            } else if !isSent, entries[0].isWritable {
                isSent = (try? channel.sendNow(record.encoded)) != nil
            }
        }
        isUnanswered = true
        return .unanswered(text)
    }
}
