package import FTPProtocol

/// A file system behind permission letters.
///
/// Runs in the process that opens files, so a Session that somebody else controls cannot get past
/// it. The letters and what they stand for are pyftpdlib's.
package final class PermittedFileSystem: FileSystem {
    private let base: any FileSystem
    private let rules: FileRules

    /// Puts `rules` before `base`, which is reached once they allow it.
    package init(_ base: any FileSystem, rules: FileRules) {
        self.base = base
        self.rules = rules
    }

    private func require(_ permission: Permissions) throws(FileError) {
        guard rules.permissions.isSuperset(of: permission) else { throw .notPermitted }
    }

    package func enterDirectory(_ path: VirtualPath) throws(FileError) {
        try require(.enterDirectory)
        try base.enterDirectory(path)
    }

    package func facts(
        of path: VirtualPath,
        for purpose: FactsPurpose
    ) throws(FileError) -> FileFacts {
        switch purpose {
        case .showing: try require(.list)
        case .renaming: try require(.rename)
        }
        return try base.facts(of: path, for: purpose)
    }

    package func openForReading(_ path: VirtualPath) throws(FileError) -> OpenedFile {
        try require(.retrieve)
        let file = try base.openForReading(path)
        guard !rules.worldReadableOnly || file.facts.mode & 0o004 != 0 else {
            throw .notPermitted
        }
        return file
    }

    package func openForWriting(
        _ path: VirtualPath,
        _ disposition: WriteDisposition
    ) throws(FileError) -> OpenedFile {
        try require(disposition == .append ? .append : .store)
        guard rules.allowsOverwriting || disposition == .unique else {
            return try base.openForWriting(path, .create)
        }
        return try base.openForWriting(path, disposition)
    }

    package func makeDirectory(_ path: VirtualPath) throws(FileError) {
        try require(.makeDirectory)
        try base.makeDirectory(path)
    }

    package func removeDirectory(_ path: VirtualPath) throws(FileError) {
        try require(.delete)
        try base.removeDirectory(path)
    }

    package func removeFile(_ path: VirtualPath) throws(FileError) {
        try require(.delete)
        try base.removeFile(path)
    }

    package func commitUpload() throws(FileError) {
        // What may be written was decided when the upload began.
        try base.commitUpload()
    }

    package func discardUpload() {
        base.discardUpload()
    }

    package func rename(_ path: VirtualPath, to newPath: VirtualPath) throws(FileError) {
        try require(.rename)
        guard rules.allowsOverwriting else {
            try base.rename(path, toFree: newPath)
            return
        }
        try base.rename(path, to: newPath)
    }

    package func setModificationTime(
        of path: VirtualPath,
        to seconds: Int64
    ) throws(FileError) {
        try require(.changeTime)
        try base.setModificationTime(of: path, to: seconds)
    }

    package func setMode(of path: VirtualPath, to mode: UInt16) throws(FileError) {
        try require(.changeMode)
        try base.setMode(of: path, to: mode)
    }

    package func setGroup(of path: VirtualPath, to group: UInt32) throws(FileError) {
        try require(.changeMode)
        try base.setGroup(of: path, to: group)
    }

    package func makeSymbolicLink(
        _ path: VirtualPath,
        to target: VirtualPath
    ) throws(FileError) {
        try require(.store)
        try base.makeSymbolicLink(path, to: target)
    }

    package func setFileModeMask(_ mask: UInt16) throws(FileError) {
        try require(.changeMode)
        try base.setFileModeMask(mask)
    }

    package func availableByteCount(in path: VirtualPath) throws(FileError) -> Int64 {
        try require(.store)
        return try base.availableByteCount(in: path)
    }

    @discardableResult
    package func beginListing(
        of path: VirtualPath,
        _ query: ListingQuery
    ) throws(FileError) -> FileFacts {
        try require(.list)
        guard rules.allowsListing || query.options.contains(.directoryItself) else {
            throw .notPermitted
        }
        return try base.beginListing(of: path, query)
    }

    package func nextEntries() throws(FileError) -> [DirectoryEntry] {
        try base.nextEntries()
    }
}
