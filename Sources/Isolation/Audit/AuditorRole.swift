internal import FTPProtocol
internal import LinuxSystem
internal import Logging
internal import TLS

/// The process that writes the audit trail: an unprivileged uid, no network, no files but the one.
///
/// Wardens and the Listener send records and wait for the answer, each over a channel of its own.
enum AuditorRole {
    /// Becomes the Auditor and serves until the Listener and every Warden are gone.
    ///
    /// `file`, the file before it, `older`, and `key` (both may be -1) were opened by the Listener;
    /// `channels` are those of sessions that go on, where this process takes another one's place, and
    /// `lostBranch` what that one was to begin.
    static func run(
        control: consuming MessageSocket,
        file: CInt,
        older: CInt,
        key: CInt,
        channels: [CInt],
        lostBranch: String?,
        _ beginning: AuditFile.Beginning,
        _ settings: AuditorSettings,
        _ logger: Logger
    ) -> Never {
        DaemonProcess.setName("ftps-auditor")
        do throws(SystemError) {
            try DaemonProcess.closeDescriptors(
                except: channels + [control.descriptor.number, file, older, key]
            )
            try DaemonProcess.resetSignals()
            try DaemonProcess.outliveTermination()
            // OpenSSL looks for what it needs while there still are files.
            _ = AuditChain.hash([])
            if key >= 0, let probe = try? Ed25519Key.reading(randomBytes(count: 32)) {
                _ = try? probe.sign([])
            }
            try Confinement.enterAuditor(as: settings.unprivileged, settings.systemCalls)
        } catch {
            logger.error("audit_log_file: the process that writes it cannot be confined: \(error)")
            DaemonProcess.exit(RoleStatus.notConfined)
        }
        do {
            // The loop alone holds the file: another server may have to write to it later.
            let loop = AuditorLoop(
                control,
                try AuditFile(
                    OwnedDescriptor(owning: file),
                    beginning,
                    older: older >= 0 ? OwnedDescriptor(owning: older) : nil,
                    branch: lostBranch
                ) { last throws(LogFileError) in
                    guard key >= 0 else { return nil }
                    return try AuditKey(
                        OwnedDescriptor(owning: key),
                        announced: last?.signature?.nextKey
                    )
                },
                settings,
                logger
            )
            for channel in channels { loop.serve(OwnedDescriptor(owning: channel), isNew: false) }
            loop.run()
        } catch let error as LogFileError {
            logger.error("audit_key_file: \(error.reason)")
            DaemonProcess.exit(1)
        } catch {
            logger.error("audit_log_file: it cannot be read (\(error))")
            DaemonProcess.exit(1)
        }
        DaemonProcess.exit(0)
    }
}

/// What the Auditor does all day.
private final class AuditorLoop {
    /// How long a record may stay off the disk where nobody asked for more (`audit_sync=NO`).
    private static let synchronizationDelay: Duration = .seconds(1)
    /// How often a disk that is full or broken is tried again.
    private static let retryDelay: Duration = .milliseconds(500)
    /// How long records may go without a signature, where seals are signed.
    private static let checkpointDelay: Duration = .seconds(600)

    private var control: AuditChannel?
    private var channels: [AuditChannel] = []
    private var file: AuditFile
    private let settings: AuditorSettings
    private let logger: Logger
    private let lastNumbers: [String: UInt64]

    /// Records that wait for the disk (`audit_required`), the oldest first.
    private var waiting: [(channel: AuditChannel, record: AuditRecord)] = []
    /// Records that nobody will find in the file.
    private var lostCount: UInt64 = 0
    private var isWriting = true
    private var nextAttempt = Deadline.passed
    private var nextSynchronization = Deadline.never
    private var nextCheckpoint = Deadline.never
    /// Records that stand in the file, and are answered when they are on the disk.
    private var written: [(channel: AuditChannel, number: UInt64)] = []

    init(
        _ control: consuming MessageSocket,
        _ file: AuditFile,
        _ settings: AuditorSettings,
        _ logger: Logger
    ) {
        self.control = AuditChannel(control)
        self.file = file
        self.settings = settings
        self.logger = logger
        lastNumbers = file.lastNumbers
    }

    /// Takes the channel of a session.
    func serve(_ descriptor: consuming OwnedDescriptor, isNew: Bool) {
        let channel = AuditChannel(MessageSocket(owning: descriptor))
        channels.append(channel)
        if !isNew { channel.send(.again) }
    }

    func run() {
        control?.send(.state(isWriting: true))
        control?.send(.again)
        while control != nil || !channels.isEmpty {
            let isStalled = !waiting.isEmpty
            let all = [control].compactMap(\.self) + channels
            var entries = all.map { channel in
                // Whoever has to wait for the disk is only watched for its end.
                PollEntry(channel.number, reading: !isStalled || channel === control)
            }
            var limit = min(nextSynchronization, nextCheckpoint)
            if isStalled { limit = min(limit, nextAttempt) }
            guard (try? poll(&entries, until: limit)) != nil else { break }
            if isStalled, nextAttempt.hasPassed { retry() }
            for (channel, entry) in zip(all, entries) where entry.isReadable {
                // A Warden that has gone waits for no answer.
                if !waiting.isEmpty, channel !== control {
                    if entry.hasHungUp { channel.isOver = true }
                } else {
                    serveOne(channel)
                }
            }
            synchronize()
            signCheckpoint()
            channels.removeAll(where: \.isOver)
            if control?.isOver ?? false { control = nil }
        }
        end()
    }

    private func serveOne(_ channel: AuditChannel) {
        do {
            guard let received = try channel.receive() else {
                channel.isOver = true
                return
            }
            var message = received
            if channel === control, let order = AuditOrder(rawValue: message.bytes[0]) {
                guard let descriptor = message.takeDescriptor() else { return }
                switch order {
                case .serve: serve(descriptor, isNew: true)
                case .rotate: rotate(to: descriptor)
                case .branch:
                    var reader = try MessageReader(message.bytes)
                    branch(to: descriptor, try reader.takeString(maximum: 64))
                }
                return
            }
            let record = try AuditRecord(decoding: message.bytes)
            // The process before this one has written it, and had no time to say so.
            if let last = lastNumbers[record.session], record.number <= last {
                channel.answer(.written(record.number))
                return
            }
            // Found in the channel, and sent once more because nobody had answered.
            if record.number <= channel.lastNumber {
                channel.answerAgain()
                return
            }
            channel.lastNumber = record.number
            add(record, from: channel)
        } catch is MessageError {
            logger.error("violation on an audit channel")
            channel.isOver = true
        } catch {
            channel.isOver = true
        }
    }

    private func add(_ record: AuditRecord, from channel: AuditChannel) {
        guard waiting.isEmpty else {
            waiting.append((channel, record))
            return
        }
        do throws(SystemError) {
            try write(record)
            written.append((channel, record.number))
            if !settings.synchronizes { answer() }
        } catch {
            noteFailure(error)
            if settings.isRequired {
                waiting.append((channel, record))
                nextAttempt = Deadline(after: Self.retryDelay)
            } else {
                lostCount += 1
                channel.answer(.lost(record.number))
            }
        }
    }

    private func write(_ record: AuditRecord) throws(SystemError) {
        if lostCount > 0 {
            try file.appendGap("records could not be written", lostCount)
            lostCount = 0
        }
        try file.append(record.members)
        if file.takeChange() { logger.error("audit_log_file: somebody else has changed the file") }
        if nextSynchronization == .never {
            nextSynchronization = Deadline(after: Self.synchronizationDelay)
        }
        noteSuccess()
    }

    private func retry() {
        while let (channel, record) = waiting.first {
            do throws(SystemError) {
                try write(record)
            } catch {
                nextAttempt = Deadline(after: Self.retryDelay)
                return
            }
            waiting.removeFirst()
            written.append((channel, record.number))
            if !settings.synchronizes { answer() }
        }
    }

    private func answer() {
        for (channel, number) in written { channel.answer(.written(number)) }
        written = []
    }

    private func synchronize() {
        guard settings.synchronizes ? !written.isEmpty : nextSynchronization.hasPassed else {
            return
        }
        nextSynchronization = .never
        do throws(SystemError) {
            try file.synchronize()
        } catch {
            // The kernel says so once, and may have dropped what it could not write.
            logger.error("audit_log_file: records may not be on the disk (\(error))")
            try? file.appendGap("records may not be on the disk", 0)
        }
        answer()
    }

    private func signCheckpoint() {
        guard file.key != nil, file.unsignedCount > 0 else {
            nextCheckpoint = .never
            return
        }
        let isDue = nextCheckpoint.hasPassed
        if isDue || nextCheckpoint == .never {
            nextCheckpoint = Deadline(after: Self.checkpointDelay)
        }
        guard isDue else { return }
        do throws(SystemError) {
            try file.signCheckpoint()
        } catch {
            logger.error("audit_key_file: records are not signed yet (\(error))")
        }
    }

    private func noteFailure(_ error: SystemError) {
        guard isWriting else { return }
        isWriting = false
        let outcome = settings.isRequired ? "sessions wait (audit_required)" : "records are lost"
        logger.error("audit_log_file: it cannot be written, \(outcome): \(error)")
        control?.send(.state(isWriting: false))
    }

    private func noteSuccess() {
        guard !isWriting else { return }
        isWriting = true
        logger.notice("audit_log_file: it can be written again")
        control?.send(.state(isWriting: true))
    }

    private func rotate(to descriptor: consuming OwnedDescriptor) {
        do throws(SystemError) {
            try file.seal(.rotation)
        } catch {
            logger.error("audit_log_file: the old file ends without a seal (\(error))")
        }
        do {
            let key = file.key
            file = try AuditFile(descriptor, .rotation, after: file.chain) { _ in key }
        } catch {
            // Another process begins in the new file.
            logger.error("audit_log_file: the new file cannot be read: \(error)")
            DaemonProcess.exit(1)
        }
        nextAttempt = .passed
    }

    /// Leaves the file to another server, and goes on in a branch.
    private func branch(to descriptor: consuming OwnedDescriptor, _ name: String) {
        guard isWriting, waiting.isEmpty, lostCount == 0 else {
            control?.send(.branched(isDone: false))
            return
        }
        do {
            file = try file.branch(descriptor, name)
        } catch {
            // The seal may stand there, and another process finds out.
            logger.error("audit_log_file: it cannot be handed over: \(error)")
            DaemonProcess.exit(1)
        }
        control?.send(.branched(isDone: true))
    }

    private func end() {
        if !waiting.isEmpty { retry() }
        lostCount += UInt64(waiting.count)
        do throws(SystemError) {
            if lostCount > 0 { try file.appendGap("records could not be written", lostCount) }
            try file.seal(.stop)
        } catch {
            logger.error("audit_log_file: it ends without a seal (\(error)), lost: \(lostCount)")
        }
    }
}

/// One channel, since arrays hold no value with a single owner.
private final class AuditChannel {
    private let socket: MessageSocket
    var isOver = false
    /// The last record that came.
    var lastNumber: UInt64 = 0
    private var lastAnswer: AuditAnswer?

    init(_ socket: consuming MessageSocket) {
        self.socket = socket
    }

    var number: CInt { socket.descriptor.number }

    func receive() throws(SystemError) -> ReceivedMessage? { try socket.receive() }

    /// Says what became of a record.
    func answer(_ answer: AuditAnswer) {
        lastAnswer = answer
        send(answer)
    }

    /// Says once more what became of the last record, if that is known.
    func answerAgain() {
        switch lastAnswer {
        case .written(lastNumber), .lost(lastNumber): if let lastAnswer { send(lastAnswer) }
        default: break
        }
    }

    /// Says something, unless the other side does not listen.
    func send(_ answer: AuditAnswer) {
        try? socket.sendNow(answer.encoded)
    }
}
