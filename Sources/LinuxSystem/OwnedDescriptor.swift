internal import CLinux
internal import Glibc
internal import SystemPackage

/// A file descriptor with exactly one owner.
///
/// Dropping the value closes the descriptor and ignores the outcome. After writing a file call
/// ``close()`` instead: `close(2)` is the last place a full disk or a lost NFS server shows up.
package struct OwnedDescriptor: ~Copyable, Sendable {
    /// The number, lent for the duration of one call.
    ///
    /// Never close it and never keep it longer than the owner lives.
    package let number: CInt

    /// Takes ownership of `number`, which must be open and owned by nobody else.
    package init(owning number: CInt) {
        precondition(number >= 0, "a descriptor number is never negative")
        self.number = number
    }

    deinit {
        _ = Glibc.close(number)
    }

    /// Closes the descriptor and reports what the kernel said.
    ///
    /// The descriptor is gone either way; never retry.
    ///
    /// - Throws: ``SystemError`` with `EIO`, `ENOSPC` or `EDQUOT` when buffered writes were lost.
    package consuming func close() throws(SystemError) {
        let number = number
        discard self
        guard Glibc.close(number) == 0 else { throw SystemError("close") }
    }

    /// Makes a second descriptor for the same open file, with close-on-exec set.
    ///
    /// Wraps `fcntl(2)` with `F_DUPFD_CLOEXEC`.
    package borrowing func duplicate() throws(SystemError) -> OwnedDescriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw SystemError("fcntl") }
        return OwnedDescriptor(owning: copy)
    }

    /// Reads from the current offset into `buffer`.
    ///
    /// Wraps `read(2)`, repeated when a signal interrupts it.
    ///
    /// - Returns: The number of bytes read, 0 at the end of the file.
    package borrowing func read(
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int {
        while true {
            let count = unsafe Glibc.read(number, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw SystemError("read") }
        }
    }

    /// Writes all of `bytes` at the current offset.
    ///
    /// Wraps `write(2)`, repeated until everything is written.
    ///
    /// - Throws: ``SystemError`` with `ENOSPC`, `EDQUOT` or `EFBIG` when the file cannot grow.
    package borrowing func writeAll(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = unsafe Glibc.write(number, rest.baseAddress, rest.count)
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw SystemError("write")
            }
        }
    }

    /// Moves the offset to `offset` bytes from the start.
    ///
    /// Wraps `lseek(2)` with `SEEK_SET`.
    package borrowing func seek(to offset: Int64) throws(SystemError) {
        guard lseek(number, Int(offset), SEEK_SET) >= 0 else { throw SystemError("lseek") }
    }

    /// Removes everything that the file holds.
    ///
    /// Wraps `ftruncate(2)`.
    package borrowing func truncate() throws(SystemError) {
        guard ftruncate(number, 0) == 0 else { throw SystemError("ftruncate") }
    }

    /// Tells the kernel that the file will be read from start to end.
    ///
    /// Wraps `posix_fadvise(3)`; only a hint, so failures are ignored.
    package borrowing func expectSequentialReads() {
        _ = posix_fadvise(number, 0, 0, POSIX_FADV_SEQUENTIAL)
    }
}

/// Reads a whole small file, such as a configuration.
///
/// - Throws: ``SystemError``; `EFBIG` when it holds more than `maximumByteCount` bytes.
package func readFile(
    at path: String,
    maximumByteCount: Int
) throws(SystemError) -> [UInt8] {
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    guard number >= 0 else { throw SystemError("open") }
    let descriptor = OwnedDescriptor(owning: number)
    var bytes = [UInt8](repeating: 0, count: maximumByteCount + 1)
    var count = 0
    while count < bytes.count {
        let start = count
        var space = bytes.mutableSpan
        let got = try unsafe space.withUnsafeMutableBytes { buffer throws(SystemError) in
            try unsafe descriptor.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...])
            )
        }
        if got == 0 { break }
        count += got
    }
    guard count <= maximumByteCount else { throw SystemError("read", .fileTooLarge) }
    bytes.removeLast(bytes.count - count)
    return bytes
}
