internal import CLinux
internal import FTPProtocol
internal import Glibc
internal import LinuxSystem
internal import SystemPackage

/// One name in a directory that is held open, so that nothing can come between two steps.
struct DirectorySlot: ~Copyable {
    let directory: OwnedDescriptor
    let name: [UInt8]

    /// The path by which the directory was found, if it was.
    let place: VirtualPath?

    /// The name that `path` has in its parent.
    init(_ path: VirtualPath, in root: borrowing JailRoot) throws(SystemError) {
        try root.checkVisible(path)
        guard let name = path.lastComponent else { throw SystemError("openat2", .isDirectory) }
        self.init(try root.directory(path.parent), name, place: path.parent)
    }

    /// `name` in `directory`.
    init(
        _ directory: consuming OwnedDescriptor,
        _ name: [UInt8],
        place: VirtualPath? = nil
    ) {
        self.directory = directory
        self.name = name
        self.place = place
    }

    /// Makes a regular file of this name, which nothing may have.
    ///
    /// - Throws: ``SystemError``; `EEXIST` when the name is taken.
    func createFile(flags: CInt, mode: UInt16) throws(SystemError) -> OwnedDescriptor {
        let flags = flags | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        let rules = CLinux_RESOLVE_IN_ROOT | CLinux_RESOLVE_NO_MAGICLINKS
        let number = directory.number
        let result = unsafe withPathPointer(name) {
            unsafe CLinux_openat2(number, $0, UInt64(flags), UInt64(mode), rules)
        }
        return OwnedDescriptor(owning: try checked("openat2", result))
    }

    /// What has the name; a symbolic link itself, and `nil` for nothing.
    func status() throws(SystemError) -> FileFacts? {
        var status = stat()
        let number = directory.number
        let result = unsafe withPathPointer(name) {
            unsafe fstatat(number, $0, &status, AT_SYMLINK_NOFOLLOW)
        }
        if result == 0 { return FileFacts(status) }
        let error = SystemError("fstatat")
        guard error.errno == .noSuchFileOrDirectory else { throw error }
        return nil
    }

    /// What has another name in the same directory, like ``status()``.
    func status(of other: [UInt8]) throws(SystemError) -> FileFacts? {
        try DirectorySlot(directory.duplicate(), other).status()
    }

    /// Where the symbolic link of this name leads (`readlinkat(2)`), or `nil` when it is none.
    func linkTarget() -> [UInt8]? {
        let number = directory.number
        var target = [CChar](repeating: 0, count: 4_096)
        let count = unsafe withPathPointer(name) {
            unsafe readlinkat(number, $0, &target, target.count)
        }
        return count > 0 ? target.prefix(count).map { UInt8(bitPattern: $0) } : nil
    }

    /// Checks that the user may write to what has the name (`faccessat(2)`).
    ///
    /// Nothing is opened: whoever watches the file would take the end of that for an upload.
    func checkWritable() throws(SystemError) {
        let number = directory.number
        let result = unsafe withPathPointer(name) {
            unsafe faccessat(number, $0, W_OK, AT_EACCESS)
        }
        guard result == 0 else { throw SystemError("faccessat") }
    }

    /// Whether the name still belongs to the file with these facts.
    func belongs(to facts: FileFacts) -> Bool {
        guard let found = try? status() else { return false }
        return found.device == facts.device && found.inode == facts.inode
    }

    /// Removes the name (`unlinkat(2)`).
    func remove() throws(SystemError) {
        let number = directory.number
        let result = unsafe withPathPointer(name) { unsafe unlinkat(number, $0, 0) }
        guard result == 0 else { throw SystemError("unlinkat") }
    }

    /// Gives what has this name another one in the same directory (`renameat2(2)`).
    ///
    /// - Parameters:
    ///   - newName: The new name.
    ///   - replaces: Whether a file that has the new name gives way.
    /// - Returns: The file that gave way, or `nil`.
    /// - Throws: ``SystemError``; `EEXIST` when the name is taken and must not be replaced.
    func rename(
        to newName: [UInt8],
        replacing replaces: Bool
    ) throws(SystemError) -> FileFacts? {
        let number = directory.number
        let old = try status(of: newName)
        var result = rename(number, newName, replaces: replaces)
        // A file system that cannot look and rename in one step.
        if result == -EINVAL, !replaces {
            if old != nil { throw SystemError("renameat2", .fileExists) }
            result = rename(number, newName, replaces: true)
        }
        try checked("renameat2", result)
        return old
    }

    private func rename(_ directory: CInt, _ newName: [UInt8], replaces: Bool) -> CInt {
        unsafe withPathPointer(name) { name in
            unsafe withPathPointer(newName) { newName in
                unsafe CLinux_renameat(directory, name, directory, newName, replaces ? 1 : 0)
            }
        }
    }

    /// Has the directory's names written to the disk (`fsync(2)`).
    ///
    /// - Parameter file: A file in it. Its whole file system is written when the user may not read
    ///   the directory, as in a drop box: only an open directory can be written alone.
    /// - Throws: ``SystemError`` with `EIO` when something was lost.
    func synchronize(beside file: borrowing OwnedDescriptor) throws(SystemError) {
        let flags = UInt64(O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let rules = CLinux_RESOLVE_IN_ROOT | CLinux_RESOLVE_NO_MAGICLINKS
        let result = unsafe CLinux_openat2(directory.number, ".", flags, 0, rules)
        if result == -EACCES {
            try checked("syncfs", CLinux_sync_file_system(file.number))
            return
        }
        try OwnedDescriptor(owning: checked("openat2", result)).synchronize()
    }
}
