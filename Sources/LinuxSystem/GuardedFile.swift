internal import Glibc
internal import SystemPackage

/// A small file that decides who may do what, read only while nobody else could have written it.
package struct GuardedFile: Sendable {
    /// What the file holds.
    package let content: [UInt8]

    /// Whether others than its owner may read it.
    package let isReadableByOthers: Bool

    /// Reads a file whole.
    ///
    /// It must be a regular file of root or of this process's user, which neither group nor others
    /// may write; all of that is asked of the open file and not of its name (fstat(2)).
    ///
    /// - Throws: ``GuardedFileError``.
    package init(at path: String, maximumByteCount: Int) throws(GuardedFileError) {
        guard !path.utf8.contains(0) else { throw .init("its name holds a NUL") }
        let number = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard number >= 0 else { throw .init(SystemError("open")) }
        let file = OwnedDescriptor(owning: number)
        var status = stat()
        guard unsafe fstat(file.number, &status) == 0 else { throw .init(SystemError("fstat")) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .init("it is not a regular file", isUnsafe: true)
        }
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            throw .init("others than its owner may write it", isUnsafe: true)
        }
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw .init("it belongs neither to root nor to this account", isUnsafe: true)
        }
        guard status.st_size <= maximumByteCount else {
            throw .init("it is larger than \(maximumByteCount) bytes")
        }
        isReadableByOthers = status.st_mode & S_IROTH != 0
        do throws(SystemError) {
            content = try file.readAll(maximumByteCount: maximumByteCount)
        } catch {
            throw .init(error)
        }
    }
}

/// Why a file is not trusted or cannot be read.
package struct GuardedFileError: Error, Hashable, Sendable {
    /// The end of a sentence that begins with the file.
    package let reason: String

    /// Whether there is such a file, and it must not be used.
    package let isUnsafe: Bool

    /// Whether there is no such file.
    package let isAbsent: Bool

    fileprivate init(_ reason: String, isUnsafe: Bool = false) {
        self.reason = reason
        self.isUnsafe = isUnsafe
        isAbsent = false
    }

    fileprivate init(_ error: SystemError) {
        reason = "it cannot be read (\(error))"
        isUnsafe = false
        isAbsent = error.errno == .noSuchFileOrDirectory
    }
}

extension OwnedDescriptor {
    /// Reads from the current offset to the end of the file.
    ///
    /// - Throws: ``SystemError``; `EFBIG` when that is more than `maximumByteCount` bytes.
    package borrowing func readAll(maximumByteCount: Int) throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        defer { buffer.wipe() }
        while true {
            var space = buffer.mutableSpan
            let count = try unsafe space.withUnsafeMutableBytes { bytes throws(SystemError) in
                try unsafe read(into: bytes)
            }
            guard count > 0 else { return content }
            guard content.count + count <= maximumByteCount else {
                throw SystemError("read", .fileTooLarge)
            }
            content += buffer.prefix(count)
        }
    }
}

extension [UInt8] {
    /// Overwrites the bytes in a way that the optimiser may not remove.
    package mutating func wipe() {
        unsafe withUnsafeMutableBytes { unsafe wipeMemory($0) }
    }
}
