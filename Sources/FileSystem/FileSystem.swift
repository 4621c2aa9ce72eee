package import FTPProtocol
package import LinuxSystem

/// What a login sees as its files: the operations behind the FTP commands.
///
/// Paths are absolute within the login's root. Two forms exist: ``Jail`` works on the kernel's
/// files, ``RemoteFileSystem`` asks the process that may.
package protocol FileSystem: AnyObject {
    /// Checks that `path` is a directory that may be entered (CWD).
    func enterDirectory(_ path: VirtualPath) throws(FileError)

    /// Describes what `path` names.
    func facts(of path: VirtualPath, for purpose: FactsPurpose) throws(FileError) -> FileFacts

    /// Opens a regular file from its start, for reading.
    func openForReading(_ path: VirtualPath) throws(FileError) -> OpenedFile

    /// Opens a regular file for writing, positioned where the first byte goes.
    ///
    /// Begins an upload, which ``commitUpload()`` or ``discardUpload()`` ends; another one that
    /// goes on has failed.
    func openForWriting(
        _ path: VirtualPath,
        _ disposition: WriteDisposition
    ) throws(FileError) -> OpenedFile

    /// Empties the old file that the upload replaces in place; its content is lost from here on.
    func emptyUpload() throws(FileError)

    /// Makes a directory.
    func makeDirectory(_ path: VirtualPath) throws(FileError)

    /// Removes an empty directory.
    func removeDirectory(_ path: VirtualPath) throws(FileError)

    /// Removes a name that is not a directory's; a symbolic link itself, not what it leads to.
    func removeFile(_ path: VirtualPath) throws(FileError)

    /// Ends the upload that goes on as a whole one; only then may it be acknowledged.
    ///
    /// The caller has closed its file before.
    ///
    /// - Throws: ``FileError`` when it failed after all; ``discardUpload()`` follows.
    func commitUpload() throws(FileError)

    /// Ends the upload that goes on, if there is one, as one that failed.
    func discardUpload()

    /// Asks for `byteCount` bytes more, at least 1, of an upload whose file is metered.
    ///
    /// - Returns: How many may be written: that many or more, fewer only when a limit is near.
    /// - Throws: ``FileError`` when a limit is reached.
    func extendUpload(by byteCount: Int64) throws(FileError) -> Int64

    /// What the user has stored, and may store.
    func storageReport() throws(FileError) -> StorageReport

    /// Gives `path` the name `newPath`, replacing a file that has it.
    func rename(_ path: VirtualPath, to newPath: VirtualPath) throws(FileError)

    /// Gives `path` the name `newPath`, which nothing may have yet.
    func rename(_ path: VirtualPath, toFree newPath: VirtualPath) throws(FileError)

    /// Sets the modification time, in seconds since 1970 UTC.
    func setModificationTime(of path: VirtualPath, to seconds: Int64) throws(FileError)

    /// Sets the permission bits.
    func setMode(of path: VirtualPath, to mode: UInt16) throws(FileError)

    /// Sets the group, by its number.
    func setGroup(of path: VirtualPath, to group: UInt32) throws(FileError)

    /// Makes `path` a symbolic link that leads to `target`, whether or not that exists.
    ///
    /// The link is relative and takes no step up, and so stays inside wherever it is moved, for
    /// programs that know no jail, too: `target` has to be the link's own directory or lie beneath.
    func makeSymbolicLink(_ path: VirtualPath, to target: VirtualPath) throws(FileError)

    /// Sets which permission bits are taken from new files and directories from now on.
    func setFileModeMask(_ mask: UInt16) throws(FileError)

    /// How many bytes this user may still store in the directory `path`.
    func availableByteCount(in path: VirtualPath) throws(FileError) -> Int64

    /// The beginning of a small file that is shown to whoever enters its directory
    /// (`message_file`).
    func message(_ path: VirtualPath) throws(FileError) -> [UInt8]

    /// Begins a listing of a directory, or of the one file that `path` names. Ends another one.
    ///
    /// - Returns: The facts of what `path` names.
    @discardableResult
    func beginListing(of path: VirtualPath, _ query: ListingQuery) throws(FileError) -> FileFacts

    /// The next entries of the listing; none when it is complete.
    func nextEntries() throws(FileError) -> EntryPiece

    /// Where on this machine `path` is, as far as these files know better than by their root.
    func hostPath(of path: VirtualPath) -> HostPath
}

/// Where on this machine a file is.
package enum HostPath: Hashable, Sendable {
    /// Beneath the root of the login, under the same name.
    case beneathRoot
    /// Nowhere, or here.
    case own(String?)
}

extension FileSystem {
    package func hostPath(of path: VirtualPath) -> HostPath { .beneathRoot }

    package func rename(_ path: VirtualPath, toFree newPath: VirtualPath) throws(FileError) {
        guard (try? facts(of: newPath, for: .renaming)) == nil else { throw .exists }
        try rename(path, to: newPath)
    }
}

/// What somebody wants to know a file's facts for; decides which permission it takes.
package enum FactsPurpose: UInt8, Sendable {
    /// To show them (SIZE, MDTM, MLST, STAT); follows symbolic links.
    case showing = 0
    /// To rename the file (RNFR); describes a symbolic link itself.
    case renaming
}

/// Where an upload goes (RFC 959 section 4.1.3).
package enum WriteDisposition: Hashable, Sendable {
    /// STOR: a new file, or an old one that the caller empties once the upload begins.
    case replace
    /// APPE: behind the last byte.
    case append
    /// STOR after REST: from this offset on, at most the file's size.
    case resume(offset: Int64)
    /// STOR of a user who may not replace anything: a file that did not exist.
    case create
    /// STOU: a file that did not exist, its name made of the path's.
    case unique
}

/// A file that was opened for a transfer.
package struct OpenedFile: ~Copyable {
    /// The open file.
    package var descriptor: OwnedDescriptor

    /// What it was when it was opened.
    package let facts: FileFacts

    /// Its name, which STOU chooses.
    package let path: VirtualPath

    /// Whether opening it made it.
    package let isNew: Bool

    /// Whether its bytes have to be asked for, by ``FileSystem/extendUpload(by:)``.
    package let isMetered: Bool

    /// Describes a file that was just opened.
    package init(
        descriptor: consuming OwnedDescriptor,
        facts: FileFacts,
        path: VirtualPath,
        isNew: Bool = false,
        isMetered: Bool = false
    ) {
        self.isNew = isNew
        self.isMetered = isMetered
        self.descriptor = descriptor
        self.facts = facts
        self.path = path
    }

    /// Gives up everything but the open file.
    package consuming func takeDescriptor() -> OwnedDescriptor { descriptor }
}
