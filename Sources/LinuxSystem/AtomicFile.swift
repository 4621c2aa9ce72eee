internal import Glibc
internal import SystemPackage

/// A small file that is replaced as a whole: a reader finds the old content or the new, never less.
///
/// Holds a lock against another writer from ``lock(_:)`` to its end (flock(2) on the directory,
/// because the file itself is a new one after every change).
package struct AtomicFile: ~Copyable {
    private let directory: OwnedDescriptor
    private let path: String

    /// Waits until no other writer works in the file's directory, and keeps others out.
    ///
    /// - Parameter path: The file, which need not exist; symbolic links are followed.
    /// - Returns: The file, locked as long as the value lives.
    /// - Throws: ``SystemError``.
    package static func lock(_ path: String) throws(SystemError) -> AtomicFile {
        let path = resolved(path)
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let number = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw SystemError("open") }
        let directory = OwnedDescriptor(owning: number)
        while flock(directory.number, LOCK_EX) != 0 {
            guard errno == EINTR else { throw SystemError("flock") }
        }
        return AtomicFile(directory: directory, path: path)
    }

    /// Replaces the content; the owner stays, and only the owner may read or write the file.
    ///
    /// - Throws: ``SystemError``; the old file is still in its place then.
    package borrowing func replace(with content: [UInt8]) throws(SystemError) {
        var template = Array("\(path).XXXXXX".utf8CString)
        // Made with mode 0600 (mkstemp(3)), so that nobody reads it in between.
        let number = unsafe mkstemp(&template)
        guard number >= 0 else { throw SystemError("mkstemp") }
        let file = OwnedDescriptor(owning: number)
        do throws(SystemError) {
            try keepOwner(of: file)
            try unsafe content.span.withUnsafeBytes { bytes throws(SystemError) in
                try unsafe file.writeAll(bytes)
            }
            guard fsync(file.number) == 0 else { throw SystemError("fsync") }
            try file.close()
            guard unsafe rename(template, path) == 0 else { throw SystemError("rename") }
            guard fsync(directory.number) == 0 else { throw SystemError("fsync") }
        } catch {
            _ = unsafe unlink(template)
            throw error
        }
    }

    private borrowing func keepOwner(of file: borrowing OwnedDescriptor) throws(SystemError) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw SystemError("stat") }
            return
        }
        if status.st_uid != geteuid() || status.st_gid != getegid() {
            guard fchown(file.number, status.st_uid, status.st_gid) == 0 else {
                throw SystemError("fchown")
            }
        }
        // A daemon without root may read its users through the group.
        guard fchmod(file.number, 0o600 | status.st_mode & 0o040) == 0 else {
            throw SystemError("fchmod")
        }
    }

    /// The name behind symbolic links, or the name itself while there is no such file.
    private static func resolved(_ path: String) -> String {
        guard let result = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(result) }
        return unsafe String(cString: result)
    }
}
