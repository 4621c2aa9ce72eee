internal import FileSystem
internal import LinuxSystem
internal import TLS

/// Why a transfer did not complete.
enum TransferFailure: Error, Hashable {
    /// The client said ABOR.
    case aborted
    /// No byte moved for `data_connection_timeout`.
    case timedOut
    /// Too few bytes moved (`min_rate`).
    case tooSlow
    /// The connection broke.
    case connectionLost
    /// The client ended without `close_notify`: perhaps somebody cut the connection.
    case truncated
    /// The file could not be read or written.
    case file(FileError)
    /// The session ends.
    case session(SessionEnd)
}

/// Moves the bytes of one transfer over a data connection.
///
/// Knows nothing of commands: whenever it would have to wait it calls `wait`, which serves the
/// control connection meanwhile.
class DTPHandler {
    /// Waits as it is asked to, and looks at the control connection in any case.
    typealias Wait = (TransferWish) throws(TransferFailure) -> Void

    /// How long a client that has everything may take to answer the end of the connection.
    private static let lingerTimeout: Duration = .seconds(2)

    let stream: NetworkStream
    private let buffer: TransferBuffer
    private let wait: Wait

    /// How long a client that has everything may keep quiet before it is told so.
    private static let politeness: Duration = .milliseconds(100)

    /// How much the bytes on the connection are compressed; `nil` in MODE S.
    final var deflateLevel: Int?

    private var peerHasEnded = false

    /// Whether the transfer is an upload.
    private(set) var isReceiving = false

    /// Bytes that went over the connection so far.
    private(set) var byteCount: Int64 = 0

    required init(_ stream: NetworkStream, buffer: TransferBuffer, wait: @escaping Wait) {
        self.stream = stream
        self.buffer = buffer
        self.wait = wait
    }

    /// Whether an upload that ended like this is complete.
    ///
    /// Plain TCP has no way to tell an end from
    /// a cut, so it has to be believed.
    func isComplete(isClean: Bool) -> Bool { true }

    /// Whether a download counts only when the client confirms its end by `close_notify`.
    var needsCleanEnd: Bool { false }

    /// The most bytes that are moved in one go.
    var pieceByteCount: Int { TransferBuffer.byteCount }

    /// Called before the first byte is moved.
    func willBegin() throws(TransferFailure) {}

    /// Called when `count` bytes have been moved: the time to serve the control connection.
    func didMove(_ count: Int) throws(TransferFailure) {
        try wait(.look)
    }

    /// Serves the control connection until `end`, at least once.
    final func pause(until end: Deadline) throws(TransferFailure) {
        try wait(end.hasPassed ? .look : .pause(until: end))
    }

    private func piece(
        of memory: UnsafeMutableRawBufferPointer
    ) -> UnsafeMutableRawBufferPointer {
        let count = max(1, min(memory.count, pieceByteCount))
        return unsafe UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
    }

    private func compressed(
        _ source: any TransferSource
    ) throws(TransferFailure) -> any TransferSource {
        guard let deflateLevel else { return source }
        do throws(FileError) {
            return try DeflateSource(source, level: deflateLevel)
        } catch {
            throw .file(error)
        }
    }

    private func inflated(_ sink: any TransferSink) throws(TransferFailure) -> any TransferSink {
        guard deflateLevel != nil else { return sink }
        do throws(FileError) {
            return try InflateSink(sink)
        } catch {
            throw .file(error)
        }
    }

    // MARK: Download

    /// Sends everything that `source` has, and ends our direction.
    final func send(_ source: any TransferSource) throws(TransferFailure) {
        let source = try compressed(source)
        try willBegin()
        while true {
            let count: Int
            do throws(FileError) {
                count = try unsafe buffer.withBytes { memory throws(FileError) in
                    try unsafe source.next(into: piece(of: memory))
                }
            } catch {
                throw .file(error)
            }
            if count == 0 { break }
            try sendPiece(count: count)
            byteCount += Int64(count)
            try didMove(count)
        }
        try complete { stream.sendCloseNotify() }
        stream.endWriting()
        let isClean = try awaitPeer()
        if needsCleanEnd, !isClean { throw .connectionLost }
    }

    private func sendPiece(count: Int) throws(TransferFailure) {
        var sent = 0
        while sent < count {
            let start = sent
            let outcome = unsafe buffer.withBytes { memory in
                unsafe stream.write(UnsafeRawBufferPointer(rebasing: memory[start..<count]))
            }
            switch outcome {
            case .bytes(let taken):
                sent += taken
                try complete { stream.flush() }
            case .wantsRead: try wait(.readable)
            case .wantsWrite: try wait(.writable)
            case .failed: throw .connectionLost
            }
        }
    }

    private func complete(_ step: () -> TLSStep) throws(TransferFailure) {
        while true {
            switch step() {
            case .done: return
            case .wantsRead: try wait(.readable)
            case .wantsWrite: try wait(.writable)
            case .failed: throw .connectionLost
            }
        }
    }

    /// Waits until the client has everything and ended its direction.
    ///
    /// As long as the client's kernel takes bytes it is given time. One that has all and says
    /// nothing may be waiting for the reply, so it gets that soon unless its end has to be seen.
    ///
    /// - Returns: Whether the client ended cleanly.
    /// - Throws: ``TransferFailure`` when the session ends meanwhile.
    private func awaitPeer() throws(TransferFailure) -> Bool {
        var progress = stream.descriptor.sendProgress()
        var deadline = Deadline(after: Self.lingerTimeout)
        var isDelivered = false
        while !deadline.hasPassed {
            switch drain() {
            case .ended(let isClean):
                peerHasEnded = true
                return isClean
            case .failed:
                peerHasEnded = true
                return false
            case .bytes: continue
            case .wantsRead, .wantsWrite: break
            }
            var entries = [PollEntry(stream.descriptor.number, reading: true)]
            _ = try? poll(&entries, until: min(deadline, Deadline(after: Self.politeness)))
            guard !entries[0].isReadable else { continue }
            try wait(.look)
            let next = stream.descriptor.sendProgress()
            if next.isComplete {
                if isDelivered, !needsCleanEnd { return false }
                isDelivered = true
            } else if next.acknowledged > progress.acknowledged {
                deadline = Deadline(after: Self.lingerTimeout)
            }
            progress = next
        }
        return false
    }

    /// Waits, after the reply, until the client has ended its direction, too.
    ///
    /// Closing a socket while bytes of the client's lie unread in it makes the kernel send RST, and
    /// that may cost the client the end of the file. Ends early when the client goes on to its
    /// next command on the control connection, whose descriptor number is `control`.
    final func linger(beside control: CInt) {
        let deadline = Deadline(after: Self.lingerTimeout)
        while !peerHasEnded, !deadline.hasPassed {
            switch drain() {
            case .ended, .failed: return
            case .bytes: continue
            case .wantsRead, .wantsWrite: break
            }
            var entries = [
                PollEntry(stream.descriptor.number, reading: true),
                PollEntry(control, reading: true),
            ]
            _ = try? poll(&entries, until: deadline)
            if entries[1].isReadable, !entries[0].isReadable { return }
        }
    }

    /// Reads and forgets what the client sends.
    private func drain() -> ReadOutcome {
        unsafe buffer.withBytes { unsafe stream.read(into: $0) }
    }

    // MARK: Upload

    /// Puts everything that the client sends into `sink`.
    final func receive(into sink: any TransferSink) throws(TransferFailure) {
        let sink = try inflated(sink)
        isReceiving = true
        try willBegin()
        while true {
            let outcome = unsafe buffer.withBytes { unsafe stream.read(into: piece(of: $0)) }
            switch outcome {
            case .bytes(let count):
                do throws(FileError) {
                    try unsafe buffer.withBytes { memory throws(FileError) in
                        try unsafe sink.put(UnsafeRawBufferPointer(rebasing: memory[..<count]))
                    }
                } catch {
                    throw .file(error)
                }
                byteCount += Int64(count)
                try didMove(count)
            case .wantsRead: try wait(.readable)
            case .wantsWrite: try wait(.writable)
            case .ended(let isClean):
                guard isComplete(isClean: isClean) else { throw .truncated }
                do throws(FileError) {
                    try sink.finish()
                } catch {
                    throw .file(error)
                }
                try closeAfterUpload()
                return
            case .failed: throw .connectionLost
            }
        }
    }

    /// Answers the client's end and waits until it has closed, so that nothing is reset.
    private func closeAfterUpload() throws(TransferFailure) {
        // The file is safe. A client that is gone already loses nothing.
        while true {
            switch stream.sendCloseNotify() {
            case .wantsWrite:
                try wait(.writable)
                continue
            case .wantsRead, .done, .failed: break
            }
            break
        }
        stream.endWriting()
        if stream.isTLS { _ = try awaitPeer() }
    }
}

/// Moves the bytes of one transfer over TLS.
class TLS_DTPHandler: DTPHandler {
    /// Whether an end without `close_notify` is believed (`strict_ssl_read_eof=NO`).
    var toleratesTruncation = false

    /// Whether a download has to be confirmed (`strict_ssl_write_shutdown`).
    var requiresShutdownReply = false

    override var needsCleanEnd: Bool { requiresShutdownReply }

    /// Only `close_notify` proves that nobody on the path cut the upload short (RFC 8446
    /// section 6.1).
    override func isComplete(isClean: Bool) -> Bool { isClean || toleratesTruncation }
}
