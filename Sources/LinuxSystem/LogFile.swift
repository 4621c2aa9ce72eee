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

    fileprivate init(_ reason: String) {
        self.reason = reason
    }

    fileprivate init(_ error: SystemError) {
        reason = "it cannot be opened (\(error))"
    }
}
