internal import FileSystem
internal import LinuxSystem

/// A part of an open file, byte for byte.
final class FilePart: TransferSource {
    private let file: OwnedDescriptor
    private var left: Int64

    /// Takes `count` bytes from `start` on, or fewer when the file becomes shorter meanwhile.
    init(
        _ file: consuming OwnedDescriptor,
        from start: Int64,
        count: Int64
    ) throws(FileError) {
        do throws(SystemError) {
            if start > 0 { try file.seek(to: start) }
        } catch {
            throw FileError(error)
        }
        file.expectSequentialReads()
        self.file = file
        left = count
    }

    /// Whether every byte of the part was delivered.
    var isComplete: Bool { left == 0 }

    var isAtEnd: Bool { isComplete }

    func next(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        let wanted = unsafe UnsafeMutableRawBufferPointer(
            rebasing: buffer[..<min(buffer.count, Int(left))]
        )
        guard wanted.count > 0 else { return 0 }
        do throws(SystemError) {
            let count = try unsafe file.read(into: wanted)
            left -= Int64(count)
            return count
        } catch {
            throw FileError(error)
        }
    }
}

/// Another sink that takes no more than a part holds (RANG).
final class BoundedSink: TransferSink {
    private let base: any TransferSink
    private var left: UInt64

    init(_ base: any TransferSink, atMost byteCount: UInt64) {
        self.base = base
        left = byteCount
    }

    func put(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        guard UInt64(bytes.count) <= left else { throw .tooLarge }
        left -= UInt64(bytes.count)
        try unsafe base.put(bytes)
    }

    func finish() throws(FileError) {
        try base.finish()
    }
}
