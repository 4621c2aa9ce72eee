internal import Glibc
internal import SystemPackage

/// A file that exactly one process adds lines to, and nobody else changes.
package final class AppendedFile {
    private let descriptor: OwnedDescriptor

    /// How long the file ought to be.
    package private(set) var byteCount: Int64

    /// Takes over a file that was opened for adding to it.
    package init(owning descriptor: consuming OwnedDescriptor) {
        byteCount = Self.size(of: descriptor)
        self.descriptor = descriptor
    }

    /// How long the file is, whoever made it so.
    package var presentByteCount: Int64 { Self.size(of: descriptor) }

    /// Whether the file still has a name.
    ///
    /// Wraps `fstat(2)`.
    package var isLinked: Bool {
        var status = stat()
        return unsafe fstat(descriptor.number, &status) == 0 && status.st_nlink > 0
    }

    /// Takes the present length for the right one.
    package func acceptLength() {
        byteCount = presentByteCount
    }

    /// Adds bytes at the end, all or nothing.
    ///
    /// Wraps `write(2)`; what it has written before it failed is taken back by `ftruncate(2)`.
    ///
    /// - Throws: ``SystemError`` with `ENOSPC`, `EDQUOT`, `EFBIG` or `EIO`.
    package func append(_ bytes: [UInt8]) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let start = written
            let count = unsafe bytes.withUnsafeBytes {
                unsafe write(
                    descriptor.number,
                    $0.baseAddress?.advanced(by: start),
                    $0.count - start
                )
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = count < 0 ? SystemError("write") : SystemError("write", .noSpace)
                if written > 0 { try truncate(to: byteCount) }
                throw error
            }
            written += count
        }
        byteCount += Int64(bytes.count)
    }

    /// Cuts the file off.
    ///
    /// Wraps `ftruncate(2)`.
    package func truncate(to length: Int64) throws(SystemError) {
        while ftruncate(descriptor.number, Int(length)) != 0 {
            guard errno == EINTR else { throw SystemError("ftruncate") }
        }
        byteCount = length
    }

    /// Waits until what was added is on the disk.
    ///
    /// Wraps `fdatasync(2)`.
    package func synchronize() throws(SystemError) {
        while fdatasync(descriptor.number) != 0 {
            guard errno == EINTR else { throw SystemError("fdatasync") }
        }
    }

    /// Reads the end of the file, at most so many bytes.
    ///
    /// Wraps `pread(2)`.
    package func tail(maximumByteCount: Int) throws(SystemError) -> [UInt8] {
        let start = max(0, byteCount - Int64(maximumByteCount))
        var bytes = [UInt8](repeating: 0, count: Int(byteCount - start))
        var count = 0
        while count < bytes.count {
            let done = count
            let wanted = bytes.count - done
            let got = unsafe bytes.withUnsafeMutableBytes {
                unsafe pread(
                    descriptor.number,
                    $0.baseAddress?.advanced(by: done),
                    wanted,
                    Int(start) + done
                )
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw SystemError("pread") }
            if got == 0 { break }
            count += got
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// How long an open file is.
    package static func byteCount(of descriptor: borrowing OwnedDescriptor) -> Int64 {
        size(of: descriptor)
    }

    private static func size(of descriptor: borrowing OwnedDescriptor) -> Int64 {
        max(0, Int64(lseek(descriptor.number, 0, SEEK_END)))
    }
}

extension OwnedDescriptor {
    /// Writes bytes over those at the beginning of the file, and waits until they are on the disk.
    ///
    /// Wraps `pwrite(2)` and `fdatasync(2)`.
    package borrowing func overwrite(_ bytes: [UInt8]) throws(SystemError) {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe pwrite(number, $0.baseAddress, $0.count, 0)
        }
        guard count >= 0 else { throw SystemError("pwrite") }
        guard count == bytes.count else { throw SystemError("pwrite", .noSpace) }
        while fdatasync(number) != 0 {
            guard errno == EINTR else { throw SystemError("fdatasync") }
        }
    }

    /// Reads a small file from its beginning, whatever the offset is.
    ///
    /// Wraps `pread(2)`.
    package borrowing func beginning(maximumByteCount: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: maximumByteCount)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe pread(number, $0.baseAddress, $0.count, 0)
        }
        guard count >= 0 else { throw SystemError("pread") }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
