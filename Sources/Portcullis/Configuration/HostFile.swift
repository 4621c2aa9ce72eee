internal import Glibc

/// A file that the configuration names, looked at once while the daemon starts.
struct HostFile {
    /// What the file is and who may write it.
    let mode: mode_t

    /// Whether a group other than root's may read it.
    let isReadableByItsGroup: Bool

    /// Whose file it is.
    let owner: uid_t

    /// Whether somebody else than root and this account could change it as its owner.
    var belongsToOthers: Bool { owner != 0 && owner != geteuid() }

    /// The first bytes, at most one more than were asked for.
    let bytes: [UInt8]

    /// Opens a regular file and reads it.
    ///
    /// Opening is the only honest test of readability: `access(2)` asks about the wrong user, and
    /// the answer may be stale.
    ///
    /// - Parameters:
    ///   - path: The file's name.
    ///   - limit: How many bytes are wanted; one more is read, so that more is noticed.
    /// - Returns: The file's mode and its first bytes.
    /// - Throws: ``HostFileError``.
    static func read(_ path: String, limit: Int) throws(HostFileError) -> HostFile {
        guard !path.utf8.contains(0) else { throw HostFileError(reason: "its name holds a NUL") }
        // Without O_NONBLOCK a named pipe would hang the start.
        let flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        // SAFETY: the string is NUL-terminated for the call and the kernel copies it.
        let descriptor = unsafe open(path, flags)
        guard descriptor >= 0 else { throw .systemCall() }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .systemCall() }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw HostFileError(reason: "it is not a regular file")
        }
        return HostFile(
            mode: status.st_mode & 0o7777,
            isReadableByItsGroup: status.st_mode & 0o040 != 0 && status.st_gid != 0,
            owner: status.st_uid,
            bytes: try content(of: descriptor, limit: limit)
        )
    }

    /// Reads until the end of the file or one byte past `limit`.
    private static func content(
        of descriptor: CInt,
        limit: Int
    ) throws(HostFileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var filled = 0
        while filled < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                // SAFETY: the slice lies inside the buffer, which lives for the call.
                unsafe Glibc.read(
                    descriptor,
                    UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                        .baseAddress,
                    buffer.count - filled
                )
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .systemCall() }
            guard count > 0 else { break }
            filled += count
        }
        return Array(bytes.prefix(filled))
    }

    /// Says whether anything has this name, or whether that cannot be told.
    static func exists(_ path: String) -> Bool {
        guard !path.utf8.contains(0) else { return true }
        var status = stat()
        // SAFETY: the string is NUL-terminated for the call, and the kernel fills the structure.
        return unsafe lstat(path, &status) == 0 || errno != ENOENT
    }

    /// Says whether `path` is a directory.
    static func isDirectory(_ path: String) -> Bool {
        kind(of: path) == S_IFDIR
    }

    /// Says whether `path` is a regular file.
    static func isRegularFile(_ path: String) -> Bool {
        kind(of: path) == S_IFREG
    }

    /// Lists a directory, in the order of the names.
    ///
    /// - Throws: ``HostFileError``.
    static func names(inDirectory path: String) throws(HostFileError) -> [String] {
        guard !path.utf8.contains(0) else { throw HostFileError(reason: "its name holds a NUL") }
        // SAFETY: the string is NUL-terminated for the call; the stream is closed below, once.
        guard let directory = unsafe opendir(path) else { throw .systemCall() }
        defer { _ = unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            // SAFETY: the kernel ends each name with a NUL, and it is copied before the next call.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func kind(of path: String) -> mode_t? {
        guard !path.utf8.contains(0) else { return nil }
        var status = stat()
        // SAFETY: the string is NUL-terminated for the call, and the kernel fills the structure.
        guard unsafe stat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT
    }
}

/// Why a file that the configuration names cannot be used.
struct HostFileError: Error, Sendable {
    /// The end of a sentence that begins with the file.
    let reason: String

    /// Describes what the last system call reported.
    static func systemCall() -> HostFileError {
        let code = errno
        // SAFETY: strerror returns a NUL-terminated string, which is copied before the next call.
        return HostFileError(reason: unsafe String(cString: strerror(code)))
    }
}
