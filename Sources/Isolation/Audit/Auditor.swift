internal import FTPProtocol
internal import Glibc
package import LinuxSystem
package import Logging

/// What the process that writes the audit trail begins with.
package struct AuditorSettings: Sendable {
    /// The file (`audit_log_file`).
    package let path: String
    /// Whether nobody is served while it cannot be written (`audit_required`).
    package var isRequired = false
    /// Whether a record is on the disk before it is answered (`audit_sync`).
    package var synchronizes = false
    /// The file with the key that signs seals (`audit_key_file`).
    package var keyPath: String?
    /// Who may read the file besides its owner (`audit_log_group`).
    package var group: UInt32?
    /// The ids that the process runs under; `nil` without root.
    package var unprivileged: Credentials?
    /// What comes of system calls that a process has no use for (`seccomp_sandbox`).
    package var systemCalls = SystemCallPolicy.enforced

    /// Names the file.
    package init(path: String) {
        self.path = path
    }
}

/// The process that writes the audit trail, as the Listener sees it.
///
/// Keeps the file and its end of every channel open, so that another process can take the place of
/// one that was killed, and finds in the channels what that one had not come to.
package final class Auditor {
    /// Records of the Listener's own that wait at most.
    private static let maximumOutboxCount = 1_000

    private let settings: AuditorSettings
    private let logger: Logger
    private var file: OwnedDescriptor
    /// The file before, for a process that begins before anything stands in ``file``.
    private var older: OwnedDescriptor?
    private var key: OwnedDescriptor?
    var process: CInt? { kept.number }
    private var control: MessageSocket?
    private var channels: [CInt: AuditChannelEnd] = [:]
    private var isWriting = true
    private let identifier = "server-\(randomWord(count: 8))"
    private var number: UInt64 = 0
    private var outbox: [Item] = []
    private var unanswered: [AuditRecord] = []
    private var kept = KeptProcess()
    private var hasStarted = false
    private var isEnding = false
    private var refusals = LogBudget()
    /// The branch that the process was told to go on in.
    private var branch: AuditBranch?
    /// Whether it has; `nil` until it says so.
    private var hasBranched: Bool?

    private enum Item {
        case record(AuditRecord)
        case channel(CInt)
        case rotation
        case branch(AuditBranch)
    }

    private init(
        _ settings: AuditorSettings,
        _ file: consuming OwnedDescriptor,
        _ key: consuming OwnedDescriptor?,
        _ logger: Logger
    ) {
        self.settings = settings
        self.key = consume key
        self.logger = logger
        self.file = file
    }

    /// Opens the file, and sees to it that no other server writes it.
    ///
    /// - Throws: ``LogFileError``.
    package static func opening(
        _ settings: AuditorSettings,
        _ logger: Logger
    ) throws(LogFileError) -> Auditor {
        var key: OwnedDescriptor?
        if let path = settings.keyPath { key = try openKey(path) }
        return Auditor(settings, try open(settings), key, logger)
    }

    /// Opens a file that holds a key, and that nobody else may read.
    private static func openKey(_ path: String) throws(LogFileError) -> OwnedDescriptor {
        do throws(LogFileError) {
            let file = try LogFile.openSecret(path)
            try look(at: try LogFile.openSecret(path))
            return file
        } catch {
            throw LogFileError(error.reason, isOfKey: true)
        }
    }

    /// Reads a key in a short process, so that nothing of it stays in this one.
    private static func look(at file: consuming OwnedDescriptor) throws(LogFileError) {
        var file = Optional(file)
        let problem: [UInt8]
        do throws(SystemError) {
            problem = try inShortProcess(maximumByteCount: 1_024) {
                do throws(LogFileError) {
                    if let file = file.take() { _ = try AuditKey(file) }
                    return []
                } catch {
                    return Array(error.reason.utf8)
                }
            }
        } catch {
            throw LogFileError("it cannot be read (\(error))")
        }
        guard problem.isEmpty else {
            throw LogFileError(String(decoding: problem, as: UTF8.self))
        }
    }

    /// Says whether a key could be used.
    ///
    /// - Throws: ``LogFileError``.
    package static func checkKey(_ path: String) throws(LogFileError) {
        _ = try openKey(path)
    }

    private static func open(
        _ settings: AuditorSettings
    ) throws(LogFileError) -> OwnedDescriptor {
        let file = try LogFile.descriptor(settings.path, group: settings.group)
        guard (try? file.lock(isExclusive: true)) ?? true else {
            throw LogFileError("another server writes to it")
        }
        return file
    }

    // MARK: The process

    /// Why nobody may be served at present, if that is so.
    var isStalled: Bool { settings.isRequired && (process == nil || !isWriting) }

    /// Starts the process when there is none, again and again.
    func restore() {
        guard !isEnding, kept.isDue else { return }
        do throws(SystemError) {
            let pair = try MessageSocket.makePair()
            switch try DaemonProcess.fork() {
            case .child:
                AuditorRole.run(
                    control: pair.takeSecond(),
                    file: file.number,
                    older: older?.number ?? -1,
                    key: key?.number ?? -1,
                    channels: channels.values.map { $0.number },
                    // One that was begun has to be there.
                    lostBranch: hasBranched == true ? nil : branch?.name,
                    hasStarted ? .recovery : .start,
                    settings,
                    logger
                )
            case .parent(let process):
                kept.noteStart(process)
                control = pair.takeFirst()
            }
        } catch {
            logger.error("audit_log_file: no process that writes it: \(error)")
            kept.noteEnd()
            return
        }
        isWriting = true
        hasStarted = true
        // It has the channels from this process.
        outbox =
            unanswered.map(Item.record)
            + outbox.filter { if case .record = $0 { true } else { false } }
        unanswered = []
        flush()
    }

    /// When the process is to be started again.
    var restartTime: Deadline { isEnding ? .never : kept.nextStart }

    /// Takes note that the process has ended.
    func noteEnd() {
        let delay = kept.noteEnd()
        control = nil
        guard !isEnding else { return }
        logger.error(
            "the process that writes the audit trail has ended; another starts in \(delay)"
        )
    }

    /// What to wait for.
    var pollEntry: PollEntry {
        guard let number = control?.descriptor.number else { return .none }
        return PollEntry(number, reading: true, writing: !outbox.isEmpty)
    }

    /// Takes what the process says, and sends what waits.
    func serve(_ entry: PollEntry) {
        if entry.isWritable { flush() }
        if entry.isReadable { _ = takeAnswer() }
    }

    /// Takes one thing that the process says; `false` when there is nothing.
    private func takeAnswer() -> Bool {
        guard let message = try? control?.receive(),
            let answer = try? AuditAnswer(decoding: message.bytes)
        else { return false }
        switch answer {
        case .written(let number), .lost(let number):
            unanswered.removeAll { $0.number <= number }
        case .state(let isWriting):
            self.isWriting = isWriting
            // Somebody may have removed the file.
            if !isWriting { rotate() }
        case .branched(let isDone): hasBranched = isDone
        case .again: break
        }
        return true
    }

    private func flush() {
        while let item = outbox.first {
            guard control != nil, send(item) else { return }
            outbox.removeFirst()
            if case .record(let record) = item { unanswered.append(record) }
        }
    }

    private func send(_ item: Item) -> Bool {
        do throws(SystemError) {
            switch item {
            case .record(let record): try control?.sendNow(record.encoded)
            case .rotation: try control?.sendNow([AuditOrder.rotate.rawValue], with: file)
            case .branch(let branch):
                var writer = MessageWriter(tag: AuditOrder.branch.rawValue)
                writer.put(branch.name)
                try control?.sendNow(writer.bytes, with: branch.file)
            case .channel(let session):
                guard let end = channels[session] else { return true }
                try control?.sendNow([AuditOrder.serve.rawValue], with: end.socket.descriptor)
            }
            return true
        } catch {
            return false
        }
    }

    // MARK: Sessions

    /// Makes the channel of a session that is about to begin.
    func makeChannel() throws(SystemError) -> AuditChannelEnd {
        let isRequired = settings.isRequired
        return try MessageSocket.makePair().split {
            AuditChannelEnd($0, session: $1, isRequired: isRequired)
        }
    }

    /// Keeps the channel of a session that has begun.
    func add(_ session: CInt, _ end: AuditChannelEnd) {
        channels[session] = end
        outbox.append(.channel(session))
        flush()
    }

    /// Forgets a session that has ended.
    func remove(_ session: CInt) {
        channels[session] = nil
    }

    // MARK: What the Listener has to say

    /// Writes a record of the server itself; waits for nobody.
    func record(_ event: String, _ complete: (inout JSONObject) -> Void = { _ in }) {
        var object = JSONObject()
        complete(&object)
        guard outbox.count < Self.maximumOutboxCount else {
            logger.error("audit_log_file: a record of the server is lost: \(event)")
            return
        }
        number += 1
        outbox.append(.record(AuditRecord(event, number, of: identifier, object)))
        flush()
    }

    /// Starts the process, and writes that the server begins.
    func begin(on ports: [ControlPort]) {
        restore()
        record("start") { object in
            object.put("addresses", ports.map { "\($0.address)" }.joined(separator: " "))
            object.put("pid", UInt64(DaemonProcess.id))
        }
    }

    /// Writes that configuration and certificates were read anew, or could not be.
    func record(_ outcome: ReloadOutcome, for user: UInt32?) {
        record("reload") { object in
            object.put("result", outcome.isDone ? "ok" : "failed")
            if let user { object.put("by_uid", UInt64(user)) }
            object.put("changed", outcome.changed.joined(separator: " "))
            if !outcome.waiting.isEmpty {
                object.put("restart", outcome.waiting.joined(separator: " "))
            }
        }
    }

    /// Writes that an administrator has ended sessions.
    func recordKick(_ target: AdminTarget, _ count: Int, by user: UInt32) {
        record("kick") { object in
            object.put(target, isDone: count > 0, by: user)
            object.put("sessions", UInt64(count))
        }
    }

    /// Writes that an administrator has let in again who was kept out.
    func recordUnlock(_ target: AdminTarget, _ count: Int, by user: UInt32) {
        record("unlock") { $0.put(target, isDone: count > 0, by: user) }
    }

    /// Writes that a client was turned away, unless there were too many of late.
    func recordRefusal(of peer: SocketAddress, _ reason: String) {
        let mayRecord = refusals.admits { count in
            record("gap") { object in
                object.put("reason", "too many clients were turned away")
                object.put("records", UInt64(count))
            }
        }
        guard mayRecord else { return }
        record("refuse") { object in
            object.put("client", peer.auditObject)
            object.put("result", "failed")
            object.put("code", 421)
            object.put("reason", reason)
        }
    }

    /// Goes on in another file, if the one of that name is another by now.
    func rotate() {
        // The file is about to be another server's.
        guard branch == nil else { return }
        do throws(LogFileError) {
            guard !LogFile.isSame(file, as: settings.path) else { return }
            var next = try Self.open(settings)
            swap(&file, &next)
            // An empty one was begun by nobody, and knows nothing of what was before.
            let isBegun = AppendedFile.byteCount(of: next) > 0
            if isBegun { older = consume next }
        } catch {
            logger.error("audit_log_file: the old file is written to: \(error.reason)")
            return
        }
        outbox.append(.rotation)
        flush()
    }

    /// Has the process seal the file for another server and go on in one of its own beside it, until
    /// the last session has ended.
    ///
    /// - Returns: Whether this process may end now, and another server begin.
    func handOver(within limit: Duration) -> Bool {
        guard process != nil, branch == nil else { return false }
        let next: AuditBranch
        do throws(LogFileError) {
            next = try AuditBranch(beside: settings)
        } catch {
            logger.error("audit_log_file: no branch can be begun: \(error.reason)")
            return false
        }
        branch = next
        record("stop") { $0.put("reason", "restart") }
        outbox.append(.branch(next))
        flush()
        let deadline = Deadline(after: limit)
        while hasBranched == nil, !deadline.hasPassed {
            var entries = [pollEntry]
            guard (try? poll(&entries, until: deadline)) != nil else { break }
            serve(entries[0])
            guard entries[0].hasHungUp else { continue }
            while takeAnswer() {}
            break
        }
        return hasBranched ?? false
    }

    /// Writes that the server has ended, and has the trail sealed and the process end, within `limit`.
    func finish(within limit: Duration) {
        record("stop")
        isEnding = true
        let deadline = Deadline(after: limit)
        while control != nil, !(outbox.isEmpty && unanswered.isEmpty), !deadline.hasPassed {
            var entries = [pollEntry]
            guard (try? poll(&entries, until: deadline)) != nil else { break }
            if entries[0].hasHungUp { break }
            serve(entries[0])
        }
        control = nil
        channels = [:]
        guard let process else { return }
        _ = DaemonProcess.awaitEnd(of: process, until: Deadline(after: limit))
        kept.end()
    }
}

/// Where the records of sessions go that outlive their server.
private final class AuditBranch {
    /// What its seal and its `open` call it.
    let name = randomWord(count: 8)
    let file: OwnedDescriptor

    /// Makes a file that has the name of the branch in its own.
    init(beside settings: AuditorSettings) throws(LogFileError) {
        file = try LogFile.descriptor(
            "\(settings.path).branch-\(name)",
            group: settings.group
        )
    }
}

/// The channel of one session to the Auditor.
final class AuditChannelEnd {
    let socket: MessageSocket
    private var sessionEnd: MessageSocket?

    /// Whether nothing may happen that is not written.
    let isRequired: Bool

    fileprivate init(
        _ socket: consuming MessageSocket,
        session: consuming MessageSocket,
        isRequired: Bool
    ) {
        self.socket = socket
        sessionEnd = consume session
        self.isRequired = isRequired
    }

    /// The Auditor's end.
    var number: CInt { socket.descriptor.number }

    /// Hands the Warden its end, the first time.
    func takeSessionEnd() -> MessageSocket? { sessionEnd.take() }
}

extension SocketAddress {
    /// The object of a record.
    var auditObject: JSONObject {
        var object = JSONObject()
        object.put("address", "\(address)")
        object.put("port", UInt64(port))
        return object
    }
}

extension JSONObject {
    /// Puts what an administrator has done, and to whom.
    fileprivate mutating func put(_ target: AdminTarget, isDone: Bool, by user: UInt32) {
        put("result", isDone ? "ok" : "failed")
        put("by_uid", UInt64(user))
        put("which", target.words)
    }
}
