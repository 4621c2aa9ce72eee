internal import Glibc
internal import SystemPackage

/// A log that several processes add whole lines to.
package final class LogFile {
    /// Where it is.
    package let path: String

    private var descriptor: OwnedDescriptor

    private init(_ descriptor: consuming OwnedDescriptor, at path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens a log, or makes one that nobody but its owner may read.
    ///
    /// - Throws: ``LogFileError`` when it cannot be opened, or is no regular file: writing to
    ///   anything else might have to wait.
    package static func opening(_ path: String) throws(LogFileError) -> LogFile {
        LogFile(try open(path), at: path)
    }

    /// Opens the file of that name anew: the old one may have another name by now.
    ///
    /// Goes on with the old one when that fails.
    package func reopen() throws(LogFileError) {
        descriptor = try Self.open(path)
    }

    /// The descriptor, for a process that closes all others.
    package var number: CInt { descriptor.number }

    /// Says whether ``opening(_:)`` could work, and leaves no file behind.
    ///
    /// - Throws: ``LogFileError``.
    package static func check(_ path: String) throws(LogFileError) {
        guard unsafe access(path, F_OK) != 0, errno == ENOENT else {
            _ = try open(path)
            return
        }
        let end = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        let directory = end == path.startIndex ? "/" : String(path[..<end])
        guard unsafe access(directory, W_OK | X_OK) == 0 else {
            throw LogFileError(SystemError("open"))
        }
    }

    /// Opens a log as ``opening(_:)`` does, for a process that writes it alone, and a group that may
    /// read it besides its owner.
    package static func descriptor(
        _ path: String,
        group: UInt32?
    ) throws(LogFileError) -> OwnedDescriptor {
        let descriptor = try open(path)
        if let group {
            guard fchown(descriptor.number, uid_t.max, group) == 0 else {
                throw LogFileError(SystemError("fchown"))
            }
            guard fchmod(descriptor.number, 0o640) == 0 else {
                throw LogFileError(SystemError("fchmod"))
            }
        }
        return descriptor
    }

    /// Opens a file that holds a secret, for reading and writing.
    ///
    /// It must be a regular file of root or of this process's user, which nobody else may read.
    package static func openSecret(_ path: String) throws(LogFileError) -> OwnedDescriptor {
        guard !path.utf8.contains(0) else { throw LogFileError("its name holds a NUL") }
        let flags = O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW
        let number = unsafe Glibc.open(path, flags)
        guard number >= 0 else { throw LogFileError(SystemError("open")) }
        let descriptor = OwnedDescriptor(owning: number)
        var status = stat()
        guard unsafe fstat(descriptor.number, &status) == 0 else {
            throw LogFileError(SystemError("fstat"))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw LogFileError("it is not a regular file")
        }
        guard status.st_mode & (S_IRWXG | S_IRWXO) == 0 else {
            throw LogFileError("others than its owner may read or write it")
        }
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw LogFileError("it belongs neither to root nor to this account")
        }
        return descriptor
    }

    /// Makes a file for a secret; there must be none of that name.
    package static func makeSecret(_ path: String) throws(LogFileError) -> OwnedDescriptor {
        guard !path.utf8.contains(0) else { throw LogFileError("its name holds a NUL") }
        let flags = O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL | O_NOFOLLOW
        let number = unsafe Glibc.open(path, flags, 0o600)
        guard number >= 0 else { throw LogFileError(SystemError("open")) }
        return OwnedDescriptor(owning: number)
    }

    /// Whether an open file is the one of that name.
    package static func isSame(_ descriptor: borrowing OwnedDescriptor, as path: String) -> Bool {
        var (open, named) = (stat(), stat())
        guard unsafe fstat(descriptor.number, &open) == 0 else { return false }
        guard unsafe stat(path, &named) == 0 else { return false }
        return open.st_dev == named.st_dev && open.st_ino == named.st_ino
    }

    private static func open(_ path: String) throws(LogFileError) -> OwnedDescriptor {
        guard !path.utf8.contains(0) else { throw LogFileError("its name holds a NUL") }
        let flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        let number = unsafe Glibc.open(path, flags, 0o600)
        guard number >= 0 else { throw LogFileError(SystemError("open")) }
        let descriptor = OwnedDescriptor(owning: number)
        var status = stat()
        guard unsafe fstat(descriptor.number, &status) == 0 else {
            throw LogFileError(SystemError("fstat"))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw LogFileError("it is not a regular file")
        }
        return descriptor
    }

    /// Adds a line by one write(2) at the end of the file, so that no other process gets between.
    ///
    /// What a full disk has cut off stays a line of its own.
    ///
    /// - Throws: ``SystemError`` when the line is lost, or its end.
    package func append(_ line: [UInt8]) throws(SystemError) {
        let lineFeed = UInt8(ascii: "\n")
        let bytes = (endsInPiece ? [lineFeed] : []) + line + [lineFeed]
        while true {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe write(descriptor.number, $0.baseAddress, $0.count)
            }
            if count == bytes.count { return }
            guard count < 0 else { throw SystemError("write", .noSpace) }
            guard errno == EINTR else { throw SystemError("write") }
        }
    }

    private var endsInPiece: Bool {
        var status = stat()
        guard unsafe fstat(descriptor.number, &status) == 0, status.st_size > 0 else {
            return false
        }
        var last: UInt8 = 0
        return unsafe pread(descriptor.number, &last, 1, status.st_size - 1) == 1
            && last != UInt8(ascii: "\n")
    }
}

/// Why a log cannot be opened.
package struct LogFileError: Error, Hashable, Sendable {
    /// The end of a sentence that begins with the file.
    package let reason: String

    /// Whether it is about the key of the log, and not about the log.
    package let isOfKey: Bool

    /// Gives a reason.
    package init(_ reason: String, isOfKey: Bool = false) {
        self.reason = reason
        self.isOfKey = isOfKey
    }

    fileprivate init(_ error: SystemError) {
        isOfKey = false
        reason = "it cannot be opened (\(error))"
    }
}
