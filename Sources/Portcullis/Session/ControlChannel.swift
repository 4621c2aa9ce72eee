internal import FTPProtocol
internal import LinuxSystem
internal import TLS

/// The control connection: command lines in, replies out (RFC 959 section 5.3).
final class ControlChannel {
    /// Bytes of commands that wait to be carried out; no more are read beyond it.
    private static let maximumWaitingByteCount = 16_384

    /// Bytes of a reply that are sent in one go.
    private static let maximumPieceByteCount = 16_384

    /// Reads in one go; a client that never stops sending must not keep the session from looking
    /// at anything else.
    private static let maximumReadCount = 4

    let stream: NetworkStream
    private var reader = CommandLineReader()
    private var buffer = [UInt8](repeating: 0, count: 4_096)
    private var queue: [CommandLineReader.Event] = []
    private var queuedByteCount = 0
    private var mayHoldMore = false

    /// Whether the client has ended its direction.
    private(set) var hasEnded = false

    init(_ stream: NetworkStream) {
        self.stream = stream
    }

    /// Whether there is room for more commands.
    var wantsToRead: Bool {
        !hasEnded && reader.heldByteCount + queuedByteCount < Self.maximumWaitingByteCount
    }

    /// What to wait for.
    var pollEntry: PollEntry {
        hasEnded ? .none : PollEntry(stream.descriptor.number, reading: wantsToRead)
    }

    /// Whether bytes wait inside TLS, where `poll(2)` does not see them.
    var holdsUnreadBytes: Bool { mayHoldMore && wantsToRead }

    /// Whether anything stands behind the last line that was taken.
    var isDrained: Bool { queue.isEmpty && reader.isEmpty && !mayHoldMore }

    /// Reads what is there, without waiting.
    func fill() {
        mayHoldMore = false
        for _ in 0..<Self.maximumReadCount {
            guard wantsToRead else { return }
            let outcome = unsafe buffer.withUnsafeMutableBytes { unsafe stream.read(into: $0) }
            switch outcome {
            case .bytes(let count):
                reader.append(buffer[..<count])
                // A password may have come by.
                buffer.wipe(first: count)
                mayHoldMore = count == buffer.count
                guard mayHoldMore else { return }
            case .wantsRead, .wantsWrite:
                mayHoldMore = false
                return
            case .ended, .failed:
                mayHoldMore = false
                hasEnded = true
            }
        }
    }

    /// Takes note that the client is gone while its commands still wait.
    func noteHangUp() {
        hasEnded = true
    }

    /// The next complete line, if there is one.
    func next() -> CommandLineReader.Event? {
        guard !queue.isEmpty else { return reader.next() }
        let event = queue.removeFirst()
        queuedByteCount -= event.heldByteCount
        return event
    }

    /// Everything that waits, without taking it.
    func waiting() -> [CommandLineReader.Event] {
        while let event = reader.next() {
            queue.append(event)
            queuedByteCount += event.heldByteCount
        }
        return queue
    }

    /// Takes a line out of turn, by its place in ``waiting()``.
    func take(at index: Int) {
        queuedByteCount -= queue.remove(at: index).heldByteCount
    }

    /// Forgets everything that was read and not yet carried out.
    func discardPending() {
        reader.removeAll()
        for case .line(let bytes) in queue { wipeMemory(of: bytes) }
        queue = []
        queuedByteCount = 0
        mayHoldMore = false
    }

    /// Sends bytes, waiting for the client to take them.
    ///
    /// - Returns: `false` when the client is gone or takes nothing until `deadline`.
    func send(_ bytes: [UInt8], until deadline: Deadline) -> Bool {
        var sent = 0
        while sent < bytes.count {
            // A record at a time: what is gathered is memory of each session.
            let piece = sent..<min(bytes.count, sent + Self.maximumPieceByteCount)
            let outcome = unsafe bytes.withUnsafeBytes {
                unsafe stream.write(UnsafeRawBufferPointer(rebasing: $0[piece]))
            }
            switch outcome {
            case .bytes(let count):
                sent += count
                guard complete(until: deadline, stream.flush) == nil else { return false }
            case .wantsRead: guard wait(reading: true, until: deadline) else { return false }
            case .wantsWrite: guard wait(reading: false, until: deadline) else { return false }
            case .failed: return false
            }
        }
        return true
    }

    /// Carries a step to its end, waiting where it has to.
    ///
    /// - Returns: `nil` when it is done, else why it failed.
    func complete(
        until deadline: Deadline,
        _ step: () -> TLSStep
    ) -> ControlFailure? {
        while true {
            switch step() {
            case .done: return nil
            case .failed(let error): return .tls(error)
            case .wantsRead: guard wait(reading: true, until: deadline) else { return .timedOut }
            case .wantsWrite: guard wait(reading: false, until: deadline) else { return .timedOut }
            }
        }
    }

    private func wait(reading: Bool, until deadline: Deadline) -> Bool {
        var entries = [
            PollEntry(stream.descriptor.number, reading: reading, writing: !reading)
        ]
        while true {
            guard let count = try? poll(&entries, until: deadline) else { return false }
            if count > 0 { return true }
            if deadline.hasPassed { return false }
        }
    }
}

/// Why a step on the control connection failed.
enum ControlFailure: Equatable {
    case timedOut
    case tls(TLSError)

    /// Text for the log.
    var logText: String {
        switch self {
        case .timedOut: "timed out"
        case .tls(let error): "\(error)"
        }
    }
}

extension CommandLineReader.Event {
    /// About how much memory it takes.
    fileprivate var heldByteCount: Int {
        switch self {
        case .line(let bytes): bytes.count + 48
        case .tooLong: 48
        }
    }
}

extension [UInt8] {
    /// Overwrites the first `count` bytes.
    fileprivate mutating func wipe(first count: Int) {
        unsafe withUnsafeMutableBytes {
            unsafe wipeMemory(UnsafeMutableRawBufferPointer(rebasing: $0[..<count]))
        }
    }
}
