internal import CLinux
package import FTPProtocol
internal import Glibc
package import LinuxSystem
internal import SystemPackage

// How the jail finds a file. The kernel walks every path under the root's descriptor; no string
// comparison decides what is inside.

/// A directory's descriptor that the kernel treats as `/`.
struct JailRoot: ~Copyable {
    /// Which symbolic links are followed on the way to a file.
    enum Links {
        /// Those that this root follows anyway.
        case usual
        /// None.
        case none
        /// All of them, where nothing but facts is asked for.
        case all
    }

    let descriptor: OwnedDescriptor

    /// Whether names that parts of uploads have do not exist for the client (`atomic_uploads`).
    let hidesParts: Bool

    /// Whether paths with symbolic links in them are refused, because somebody has resolved them
    /// before (`RESOLVE_NO_SYMLINKS`).
    var refusesLinks = false

    /// Opens `directory` as a root, with the rights that the process has now.
    ///
    /// - Throws: ``SystemError`` when it is missing, no directory, or may not be searched.
    static func open(
        _ directory: String,
        hidesParts: Bool = false
    ) throws(SystemError) -> JailRoot {
        let root = try opening(directory, hidesParts: hidesParts)
        // O_PATH asks for no right to the directory itself.
        guard unsafe faccessat(root.descriptor.number, ".", X_OK, AT_EACCESS) == 0 else {
            throw SystemError("faccessat")
        }
        return root
    }

    private static func opening(
        _ directory: String,
        hidesParts: Bool
    ) throws(SystemError) -> JailRoot {
        let number = unsafe Glibc.open(
            directory,
            O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        )
        if number >= 0 {
            return JailRoot(
                descriptor: OwnedDescriptor(owning: number),
                hidesParts: hidesParts
            )
        }
        // A directory that may be searched and not read is a root, too: its listing then fails.
        let searched = unsafe Glibc.open(directory, CLinux_O_PATH | O_DIRECTORY | O_CLOEXEC)
        guard searched >= 0 else { throw SystemError("open") }
        return JailRoot(descriptor: OwnedDescriptor(owning: searched), hidesParts: hidesParts)
    }

    /// Opens `path` with this directory as `/`.
    ///
    /// Wraps `openat2(2)` with `RESOLVE_IN_ROOT` and `RESOLVE_NO_MAGICLINKS`: a leading `/`, a `..`
    /// and an absolute symbolic link all resolve inside, and links such as `/proc/self/fd/3` are
    /// refused. No other process can swap a component between a check and the open.
    ///
    /// - Throws: ``SystemError``; `ELOOP` too many links, or a magic link.
    func open(
        _ path: VirtualPath,
        flags: CInt,
        mode: UInt16 = 0
    ) throws(SystemError) -> OwnedDescriptor {
        // openat2(2) takes a mode only where it may create a file.
        try resolve(
            path,
            flags: flags | O_NOCTTY | O_NONBLOCK,
            mode: flags & O_CREAT != 0 ? mode : 0
        )
    }

    /// Opens what `path` names without any right to its content (`O_PATH`).
    func locate(
        _ path: VirtualPath,
        followsLinks: Bool = true,
        onTheWay links: Links = .usual
    ) throws(SystemError) -> OwnedDescriptor {
        // openat2(2) takes no O_NOCTTY or O_NONBLOCK beside O_PATH.
        try resolve(
            path,
            flags: CLinux_O_PATH | (followsLinks ? 0 : O_NOFOLLOW),
            mode: 0,
            links: links
        )
    }

    /// Opens one name in `directory` like ``locate(_:followsLinks:onTheWay:)``, a link itself too.
    ///
    /// - Precondition: The name has no slash and is neither `.` nor `..`.
    static func locate(
        _ name: [UInt8],
        in directory: borrowing OwnedDescriptor
    ) throws(SystemError) -> OwnedDescriptor {
        try openat2(
            directory.number,
            name,
            UInt64(CLinux_O_PATH | O_NOFOLLOW | O_CLOEXEC),
            0,
            CLinux_RESOLVE_IN_ROOT | CLinux_RESOLVE_NO_SYMLINKS
        )
    }

    /// Opens a directory as a place for `*at` calls, without the right to list it.
    func directory(
        _ path: VirtualPath,
        followsLinks: Bool = true
    ) throws(SystemError) -> OwnedDescriptor {
        try resolve(
            path,
            flags: CLinux_O_PATH | O_DIRECTORY,
            mode: 0,
            links: followsLinks ? .usual : .none
        )
    }

    /// Checks that `path` does not name the part of an upload.
    ///
    /// - Throws: ``SystemError`` with `ENOENT`, as if there were nothing.
    func checkVisible(_ path: VirtualPath) throws(SystemError) {
        if hidesParts, let name = path.lastComponent, PartName.matches(name) {
            throw SystemError("openat2", .noSuchFileOrDirectory)
        }
    }

    private func resolve(
        _ path: VirtualPath,
        flags: CInt,
        mode: UInt16,
        links: Links = .usual
    ) throws(SystemError) -> OwnedDescriptor {
        try checkVisible(path)
        var rules = CLinux_RESOLVE_IN_ROOT | CLinux_RESOLVE_NO_MAGICLINKS
        switch links {
        case .usual: if refusesLinks { rules |= CLinux_RESOLVE_NO_SYMLINKS }
        case .none: rules |= CLinux_RESOLVE_NO_SYMLINKS
        case .all: break
        }
        return try Self.openat2(
            descriptor.number,
            path.isRoot ? [UInt8(ascii: ".")] : path.bytes,
            UInt64(flags | O_CLOEXEC),
            UInt64(mode),
            rules
        )
    }

    private static func openat2(
        _ directory: CInt,
        _ path: [UInt8],
        _ flags: UInt64,
        _ mode: UInt64,
        _ rules: UInt64
    ) throws(SystemError) -> OwnedDescriptor {
        var attempts = 0
        while true {
            let result = unsafe withPathPointer(path) {
                unsafe CLinux_openat2(directory, $0, flags, mode, rules)
            }
            if result >= 0 { return OwnedDescriptor(owning: result) }
            // A rename somewhere raced with a `..` in a link; the kernel asks to try again.
            attempts += 1
            guard result == -EAGAIN || result == -EINTR, attempts < 64 else {
                throw SystemError("openat2", Errno(rawValue: -result))
            }
        }
    }
}

/// Lends `bytes` as a C string.
///
/// - Precondition: No byte is NUL, which ``VirtualPath`` ensures.
func withPathPointer<Result>(
    _ bytes: [UInt8],
    _ body: (UnsafePointer<CChar>) -> Result
) -> Result {
    var terminated = bytes
    terminated.append(0)
    return unsafe terminated.withUnsafeBytes { buffer in
        // SAFETY: the array holds at least the NUL, so there is a base address.
        unsafe body(buffer.assumingMemoryBound(to: CChar.self).baseAddress.unsafelyUnwrapped)
    }
}

extension FileFacts {
    /// Translates what `fstat(2)` filled in.
    init(_ status: stat) {
        let kind: Kind =
            switch status.st_mode & S_IFMT {
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFCHR: .characterDevice
            case S_IFBLK: .blockDevice
            default: .regular
            }
        self.init(
            kind: kind,
            mode: UInt16(truncatingIfNeeded: status.st_mode & 0o7777),
            linkCount: UInt32(truncatingIfNeeded: status.st_nlink),
            owner: status.st_uid,
            group: status.st_gid,
            size: Int64(status.st_size),
            modified: Int64(status.st_mtim.tv_sec),
            device: UInt64(status.st_dev),
            inode: UInt64(status.st_ino)
        )
    }

    /// Asks about an open file (`fstat(2)`), for whoever tells a client.
    package static func ofOpenFile(
        _ descriptor: borrowing OwnedDescriptor
    ) throws(FileError) -> FileFacts {
        try reduced { () throws(SystemError) in try of(descriptor) }
    }

    /// Asks about an open descriptor (`fstat(2)`).
    static func of(_ descriptor: borrowing OwnedDescriptor) throws(SystemError) -> FileFacts {
        var status = stat()
        guard unsafe fstat(descriptor.number, &status) == 0 else { throw SystemError("fstat") }
        return FileFacts(status)
    }
}
