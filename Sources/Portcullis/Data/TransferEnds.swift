internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem
internal import TLS

/// What a download takes its bytes from.
protocol TransferSource: AnyObject {
    /// Fills `buffer` as far as it can.
    ///
    /// - Returns: The number of bytes, 0 at the end.
    func next(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int

    /// Whether ``next(into:)`` is known to have nothing more; `false` where only asking tells.
    var isAtEnd: Bool { get }
}

extension TransferSource {
    var isAtEnd: Bool { false }
}

/// What an upload puts its bytes into.
protocol TransferSink: AnyObject {
    /// Takes some bytes.
    func put(_ bytes: UnsafeRawBufferPointer) throws(FileError)

    /// Takes the end; only then is the upload safe with the kernel.
    func finish() throws(FileError)
}

/// An open file, byte for byte (TYPE I).
final class FileSource: TransferSource {
    fileprivate let file: OwnedDescriptor

    /// Bytes that the file had more when it was opened.
    private var left: Int64

    private(set) var isAtEnd = false

    /// Reads on from where `file` stands, in which `byteCount` bytes are left as far as is known.
    init(_ file: consuming OwnedDescriptor, byteCount: Int64) {
        // What one read takes needs none ahead.
        if byteCount > Int64(TransferBuffer.byteCount) { file.expectSequentialReads() }
        self.file = file
        left = byteCount
    }

    func next(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        do throws(SystemError) {
            let count = try unsafe file.read(into: buffer)
            left -= Int64(count)
            // A file that grows meanwhile is sent to the end that it has by then. One that says it is
            // empty may be made as it is read (proc(5)).
            isAtEnd = count < buffer.count && left == 0
            return count
        } catch {
            throw FileError(error)
        }
    }
}

extension FileSource {
    /// Has the kernel send the next bytes of the file over a connection without TLS, or one whose
    /// records it makes itself (what SSL_sendfile(3) does, from where the file is at).
    func send(atMost byteCount: Int, to stream: NetworkStream) -> SendfileOutcome {
        stream.descriptor.send(file: file, atMost: byteCount)
    }
}

/// Another source with its line ends made CR LF (TYPE A, RFC 959 section 3.1.1.1).
final class NetworkLineSource: TransferSource {
    private let base: any TransferSource
    private var encoder = NetworkLineEncoder()
    private var waiting: [UInt8] = []
    private var position = 0

    init(_ base: any TransferSource) {
        self.base = base
    }

    func next(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        if position == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            position = 0
            let count = try unsafe base.next(into: buffer)
            guard count > 0 else { return 0 }
            let raw = unsafe [UInt8](buffer[..<count])
            encoder.encode(raw.span, into: &waiting)
        }
        let count = min(buffer.count, waiting.count - position)
        unsafe buffer.copyBytes(from: waiting[position..<(position + count)])
        position += count
        return count
    }
}

/// The file of an upload, written byte for byte.
final class UploadSink: TransferSink {
    private let fileSystem: any FileSystem
    private var file: OwnedDescriptor?

    /// Bytes that may be written before more have to be asked for.
    private var allowance: Int64

    /// Writes to `file`, which `fileSystem` has opened.
    init(_ file: consuming OwnedDescriptor, in fileSystem: any FileSystem, isMetered: Bool) {
        self.fileSystem = fileSystem
        allowance = isMetered ? 0 : .max
        self.file = consume file
    }

    func put(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var start = 0
        while start < bytes.count {
            let rest = bytes.count - start
            if allowance == 0 { allowance = try fileSystem.extendUpload(by: Int64(rest)) }
            // Up to the last byte that is allowed, so that a limit is exact.
            let count = Int(min(Int64(rest), allowance))
            guard count > 0 else { throw .inputOutput }
            do throws(SystemError) {
                try unsafe file?.writeAll(
                    UnsafeRawBufferPointer(rebasing: bytes[start..<(start + count)])
                )
            } catch {
                throw FileError(error)
            }
            if allowance != .max { allowance -= Int64(count) }
            start += count
        }
    }

    func finish() throws(FileError) {
        guard let file = file.take() else { return }
        do throws(SystemError) {
            try file.close()
        } catch {
            throw FileError(error)
        }
        try fileSystem.commitUpload()
    }
}

/// Puts lines that end with CR LF into another sink as lines that end with LF (TYPE A).
final class HostLineSink: TransferSink {
    private let base: any TransferSink
    private var decoder = NetworkLineDecoder()
    private var decoded: [UInt8] = []

    init(_ base: any TransferSink) {
        self.base = base
    }

    func put(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        decoded.removeAll(keepingCapacity: true)
        let raw = unsafe [UInt8](bytes)
        decoder.decode(raw.span, into: &decoded)
        try pass()
    }

    func finish() throws(FileError) {
        decoded.removeAll(keepingCapacity: true)
        decoder.finish(into: &decoded)
        try pass()
        try base.finish()
    }

    private func pass() throws(FileError) {
        guard !decoded.isEmpty else { return }
        let bytes = decoded
        try unsafe bytes.span.withUnsafeBytes { bytes throws(FileError) in
            try unsafe base.put(bytes)
        }
    }
}
