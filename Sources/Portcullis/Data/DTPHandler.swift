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
/// Over TLS or in clear, as the connection is. Knows nothing of commands: whenever it has to wait it
/// has the control connection served meanwhile. ``FTPHandler/Settings/dtpHandler`` names a subclass to
/// be used, of which the session makes one for each transfer.
open class DTPHandler {
    /// Waits as it is asked to, and looks at the control connection in any case.
    typealias Wait = (TransferWish) throws(TransferFailure) -> Void

    /// How long a client that has everything may take to answer the end of the connection.
    private static let lingerTimeout: Duration = .seconds(2)

    /// The session whose transfer it is.
    public final unowned let handler: FTPHandler

    final let stream: NetworkStream
    private let buffer: TransferBuffer
    private let wait: Wait

    /// How long a client that has everything may keep quiet before it is told so.
    private static let politeness: Duration = .milliseconds(100)

    /// How much the bytes on the connection are compressed; `nil` in MODE S.
    final var deflateLevel: Int?

    private var peerHasEnded = false

    /// Whether the transfer is an upload.
    public private(set) final var isReceiving = false

    /// Bytes that went over the connection so far; compressed ones in MODE Z.
    public private(set) final var byteCount: Int64 = 0

    private let stopwatch = Stopwatch()

    /// What holds the transfer down to a rate, if anything does.
    final var throttle: TransferThrottle?

    /// Whether an end without `close_notify` is believed (`strict_ssl_read_eof=NO`).
    final var toleratesTruncation = false

    /// Whether a download has to be confirmed (`strict_ssl_write_shutdown`).
    final var requiresShutdownReply = false

    /// Whether the kernel may send a file by itself, without TLS.
    final var usesSendfile = false

    /// Whether it does: under TLS wherever it encrypts as well.
    private var kernelSendsFiles: Bool {
        stream.isTLS ? stream.isEncryptedByKernel : usesSendfile
    }

    /// Prepares to move bytes.
    ///
    /// - Parameter transfer: What the session hands over, for one handler alone.
    public required init(_ transfer: DTPTransfer) {
        handler = transfer.handler
        stream = transfer.stream
        buffer = transfer.buffer
        wait = transfer.wait
    }

    /// How long the transfer has taken so far.
    public final var elapsedTime: Duration {
        stopwatch.duration
    }

    /// Whether TLS protects the data connection.
    public final var isSecure: Bool { stream.isTLS }

    /// The most bytes that are moved in one go, from 512 to 262,144 (which is usual).
    ///
    /// A rate may make it fewer. Files that the kernel sends by itself pass through no buffer, and go in
    /// pieces of up to 2 MiB where this is left as it is.
    open var bufferByteCount: Int { TransferBuffer.byteCount }

    /// Called when `count` more bytes have been moved, before the next ones are.
    ///
    /// The transfer waits for it.
    open func onProgress(_ count: Int) {}

    /// Called when the transfer begins.
    func noteBegin() {}

    /// Called when our end of the connection was closed, as far as TLS goes.
    func noteEnd() {}

    /// Whether an upload that ended like this is complete.
    ///
    /// Only `close_notify` proves that nobody on the path cut it short (RFC 8446 section 6.1). Plain
    /// TCP has no way to tell an end from a cut, so it has to be believed.
    private func isComplete(isClean: Bool) -> Bool {
        !stream.isTLS || isClean || toleratesTruncation
    }

    /// Whether a download counts only when the client confirms its end by `close_notify`.
    private var needsCleanEnd: Bool { stream.isTLS && requiresShutdownReply }

    private var pieceByteCount: Int {
        let most = max(512, bufferByteCount)
        return throttle?.pieceByteCount(isReceiving: isReceiving, of: most) ?? most
    }

    /// As few calls as leave the session attentive: the kernel returns when the client's window is full.
    private var directByteCount: Int {
        let isUsual = throttle == nil && bufferByteCount == TransferBuffer.byteCount
        return isUsual ? 2 << 20 : pieceByteCount
    }

    private func willBegin() throws(TransferFailure) {
        noteBegin()
        try throttle?.settle { (end) throws(TransferFailure) in try pause(until: end) }
    }

    /// Has the control connection served, and waits where the transfer is too fast.
    private func didMove(_ count: Int) throws(TransferFailure) {
        onProgress(count)
        guard let throttle else {
            try wait(.look)
            return
        }
        throttle.charge(count, isReceiving: isReceiving)
        try throttle.settle { (end) throws(TransferFailure) in try pause(until: end) }
    }

    /// Serves the control connection until `end`, at least once.
    private func pause(until end: Deadline) throws(TransferFailure) {
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
        let file = kernelSendsFiles ? source as? FileSource : nil
        var heldCount = 0
        while heldCount == 0 {
            let count = if let file { try sendDirectly(file) } else { try sendNext(source) }
            if count == 0 { break }
            byteCount += Int64(count)
            if holdsBack(source) { heldCount = count } else { try didMove(count) }
        }
        try complete { stream.sendCloseNotify() }
        if heldCount > 0 { onProgress(heldCount) }
        noteEnd()
        let isClean: Bool
        if stream.isEncryptedByKernel {
            // Some of what it has encrypted may still wait in front of TCP, where neither the end of our
            // direction nor that of the socket waits for it. Once there is room TCP has all of it.
            try wait(.writable)
            isClean = try awaitPeer()
            stream.endWriting()
        } else {
            stream.endWriting()
            isClean = try awaitPeer()
        }
        if needsCleanEnd, !isClean { throw .connectionLost }
    }

    /// Whether the last piece of `source` waits for `close_notify` to go out with it.
    ///
    /// Records of the kernel's making are each of one kind.
    private func holdsBack(_ source: any TransferSource) -> Bool {
        stream.isTLS && throttle == nil && source.isAtEnd && !stream.isEncryptedByKernel
    }

    /// Sends the next piece of `source`; 0 at its end.
    private func sendNext(_ source: any TransferSource) throws(TransferFailure) -> Int {
        let count: Int
        do throws(FileError) {
            count = try unsafe buffer.withBytes { memory throws(FileError) in
                try unsafe source.next(into: piece(of: memory))
            }
        } catch {
            throw .file(error)
        }
        try sendPiece(count: count, isHeldBack: holdsBack(source))
        return count
    }

    /// Has the kernel send the next piece of a file; 0 at its end.
    private func sendDirectly(_ file: FileSource) throws(TransferFailure) -> Int {
        while true {
            switch file.send(atMost: directByteCount, to: stream) {
            case .bytes(let count): return count
            case .ended: return 0
            case .wantsWrite: try wait(.writable)
            // A file of a kind that it cannot be done with.
            case .unsupported: return try sendNext(file)
            case .unreadable: throw .file(.inputOutput)
            case .failed: throw .connectionLost
            }
        }
    }

    private func sendPiece(count: Int, isHeldBack: Bool) throws(TransferFailure) {
        var sent = 0
        while sent < count {
            let start = sent
            let outcome = unsafe buffer.withBytes { memory in
                unsafe stream.write(UnsafeRawBufferPointer(rebasing: memory[start..<count]))
            }
            switch outcome {
            case .bytes(let taken):
                sent += taken
                if sent < count || !isHeldBack { try complete { stream.flush() } }
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
        var progress: SendProgress?
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
            } else if let progress, next.acknowledged > progress.acknowledged {
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
        stream.acknowledgeHandshake()
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
        noteEnd()
        stream.endWriting()
        if stream.isTLS { _ = try awaitPeer() }
    }
}

/// Moves the bytes of one transfer, which TLS protects.
///
/// The type that ``TLS_FTPHandler`` uses. Over a connection in clear, which only
/// ``FTPHandler/Settings/tlsDataRequired`` set to `false` permits, it does the same without TLS.
///
/// There is none before TLS stands, so a handshake that fails is told to ``PassiveDTP`` or
/// ``ActiveDTP``.
open class TLS_DTPHandler: DTPHandler {
    /// Called when TLS stands, before the first byte moves.
    open func handleSSLEstablished() {}

    /// Called when the transfer is over and the client was told so by `close_notify`; not where it
    /// has failed.
    open func handleSSLShutdown() {}

    final override func noteBegin() { if isSecure { handleSSLEstablished() } }
    final override func noteEnd() { if isSecure { handleSSLShutdown() } }
}

/// What a handler of a transfer begins with; there is nothing else to be done with it.
public final class DTPTransfer {
    let handler: FTPHandler
    let stream: NetworkStream
    let buffer: TransferBuffer
    let wait: DTPHandler.Wait

    init(_ handler: FTPHandler, _ stream: NetworkStream, _ wait: @escaping DTPHandler.Wait) {
        self.handler = handler
        self.stream = stream
        buffer = handler.buffer
        self.wait = wait
    }
}
