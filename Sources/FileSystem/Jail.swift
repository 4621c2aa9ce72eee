internal import CLinux
package import FTPProtocol
internal import Glibc
package import LinuxSystem
internal import SystemPackage

/// The kernel's files beneath one directory.
///
/// Runs with the rights of the process: in the daemon that is the Agent, which is the logged-in
/// user. Every path is resolved by the kernel under the root's descriptor; operations that have no
/// such form open the parent that way and use the `*at` call on the last component.
package final class Jail: FileSystem {
    let root: JailRoot
    let openMode: UInt16
    let uploads: UploadRules
    private var listing: JailListing?

    /// Whose files the process makes; asked for before it is confined.
    let owner = Credentials.current.user

    /// What the user has stored, where a quota asks for that.
    package var ledger: QuotaLedger?

    /// Where the upload that goes on is written down, for whoever ends it if this process is killed.
    package var journal: UploadJournal?

    /// Gives a new file that is whole to somebody else (`chown_uploads`).
    package var handOver: ((borrowing OwnedDescriptor) throws(FileError) -> Void)?

    /// Permission bits taken from new files and directories beside the umask; `nil` where the umask is
    /// the user's alone.
    ///
    /// The umask is one for all threads of a program.
    package var ownMask: UInt16?

    /// Permission bits of new files, before the umask.
    var newFileMode: UInt16 { openMode & ~(ownMask ?? 0) }

    /// The upload that goes on.
    var upload: Upload?

    /// Makes `directory` the root.
    ///
    /// - Parameters:
    ///   - directory: The root, opened with the rights that the process has now.
    ///   - openMode: Permission bits of new files, before the umask (`file_open_mode`).
    ///   - uploads: How uploads are written.
    ///   - refusesLinks: Whether every path was resolved before it comes here, so that a symbolic
    ///     link in it is one that was put there meanwhile.
    /// - Returns: The jail, with the root open.
    /// - Throws: ``SystemError`` when the directory is missing or may not be searched.
    package static func opening(
        _ directory: String,
        openMode: UInt16 = 0o666,
        uploads: UploadRules = UploadRules(),
        refusesLinks: Bool = false
    ) throws(SystemError) -> Jail {
        var root = try JailRoot.open(directory, hidesParts: uploads.isAtomic)
        root.refusesLinks = refusesLinks
        return Jail(root: root, openMode: openMode, uploads: uploads)
    }

    private init(root: consuming JailRoot, openMode: UInt16, uploads: UploadRules) {
        self.root = root
        self.openMode = openMode
        self.uploads = uploads
    }

    /// The root's descriptor, for confining the process to it.
    package var rootDescriptorNumber: CInt { root.descriptor.number }

    package func enterDirectory(_ path: VirtualPath) throws(FileError) {
        try reduced { () throws(SystemError) in
            let directory = try root.directory(path)
            // O_PATH asks for no right to the directory itself.
            guard unsafe faccessat(directory.number, ".", X_OK, AT_EACCESS) == 0 else {
                throw SystemError("faccessat")
            }
        }
    }

    package func facts(
        of path: VirtualPath,
        for purpose: FactsPurpose
    ) throws(FileError) -> FileFacts {
        try reduced { () throws(SystemError) in
            try FileFacts.of(root.locate(path, followsLinks: purpose == .showing))
        }
    }

    package func openForReading(_ path: VirtualPath) throws(FileError) -> OpenedFile {
        do throws(SystemError) {
            let file = try root.open(path, flags: O_RDONLY)
            let facts = try FileFacts.of(file)
            if facts.kind == .directory { throw SystemError("openat2", .isDirectory) }
            if facts.kind != .regular { throw SystemError("openat2", .noSuchAddressOrDevice) }
            if uploads.locksOutReaders, try !file.lock(isExclusive: false) {
                throw SystemError("flock", .resourceBusy)
            }
            return OpenedFile(descriptor: file, facts: facts, path: path)
        } catch {
            throw FileError(error)
        }
    }

    package func makeDirectory(_ path: VirtualPath) throws(FileError) {
        guard path.lastComponent != nil else { throw .exists }
        let mode = mode_t(0o777 & ~(ownMask ?? 0))
        try unsafe inParent(of: path, "mkdirat") { unsafe mkdirat($0, $1, mode) }
    }

    package func removeDirectory(_ path: VirtualPath) throws(FileError) {
        guard path.lastComponent != nil else { throw .accessDenied }
        try unsafe inParent(of: path, "unlinkat") { unsafe unlinkat($0, $1, AT_REMOVEDIR) }
    }

    package func removeFile(_ path: VirtualPath) throws(FileError) {
        guard path.lastComponent != nil else { throw .isDirectory }
        let facts = countedFacts(of: path)
        try unsafe inParent(of: path, "unlinkat") { unsafe unlinkat($0, $1, 0) }
        noteRemoval(of: facts)
    }

    package func rename(_ path: VirtualPath, to newPath: VirtualPath) throws(FileError) {
        try rename(path, newPath, replaces: true)
    }

    package func rename(_ path: VirtualPath, toFree newPath: VirtualPath) throws(FileError) {
        try rename(path, newPath, replaces: false)
    }

    private func rename(
        _ path: VirtualPath,
        _ newPath: VirtualPath,
        replaces: Bool
    ) throws(FileError) {
        guard let name = path.lastComponent, let newName = newPath.lastComponent else {
            throw .accessDenied
        }
        let (source, replaced) = (countedFacts(of: path), countedFacts(of: newPath))
        do throws(SystemError) {
            try root.checkVisible(path)
            try root.checkVisible(newPath)
            let parent = try root.directory(path.parent)
            let newParent = try root.directory(newPath.parent)
            let (from, to) = (parent.number, newParent.number)
            let result = unsafe withPathPointer(name) { name in
                unsafe withPathPointer(newName) { newName in
                    unsafe CLinux_renameat(from, name, to, newName, replaces ? 1 : 0)
                }
            }
            try checked("renameat", result)
        } catch {
            // rename(2): EINVAL says that a directory was to go beneath itself.
            throw error.errno == .invalidArgument ? .impossible : FileError(error)
        }
        // Two names of one file both stay (rename(2)).
        if replaced?.inode != source?.inode || replaced?.device != source?.device {
            noteRemoval(of: replaced)
        }
    }

    package func setModificationTime(
        of path: VirtualPath,
        to seconds: Int64
    ) throws(FileError) {
        try reduced { () throws(SystemError) in
            let file = try root.locate(path)
            try checked("utimensat", CLinux_set_modification_time(file.number, seconds))
        }
    }

    package func setMode(of path: VirtualPath, to mode: UInt16) throws(FileError) {
        try reduced { () throws(SystemError) in
            // Named, because a temporary would be closed before the call.
            let located = try root.locate(path)
            let result = CLinux_fchmod_path(located.number, UInt32(mode))
            guard result == -ENOSYS || result == -EOPNOTSUPP else {
                try checked("fchmodat2", result)
                return
            }
            // Before Linux 6.6 only an open file can be changed without a name.
            let file = try root.open(path, flags: O_RDONLY)
            guard fchmod(file.number, mode_t(mode)) == 0 else { throw SystemError("fchmod") }
        }
    }

    @discardableResult
    package func beginListing(
        of path: VirtualPath,
        _ query: ListingQuery
    ) throws(FileError) -> FileFacts {
        listing = nil
        do throws(SystemError) {
            let begun = try JailListing(of: path, in: root, query)
            listing = begun
            return begun.facts
        } catch {
            throw FileError(error)
        }
    }

    package func nextEntries() throws(FileError) -> EntryPiece {
        guard let listing else { return EntryPiece() }
        do throws(SystemError) {
            let entries = try listing.next(in: root)
            if entries.isEmpty { self.listing = nil }
            return entries
        } catch {
            self.listing = nil
            throw FileError(error)
        }
    }

    /// Calls `body` with the parent's descriptor and the last component of `path`.
    private func inParent(
        of path: VirtualPath,
        _ call: String,
        _ body: (CInt, UnsafePointer<CChar>) -> CInt
    ) throws(FileError) {
        try reduced { () throws(SystemError) in
            try root.checkVisible(path)
            let parent = try root.directory(path.parent)
            let number = parent.number
            let result = unsafe withPathPointer(path.lastComponent ?? []) {
                unsafe body(number, $0)
            }
            guard result == 0 else { throw SystemError(call) }
        }
    }
}
