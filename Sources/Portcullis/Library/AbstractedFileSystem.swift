internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem

/// Files that a program keeps, as sessions know them.
final class AbstractedFileSystem: FileSystem, PathResolver {
    /// Entries that are handed out at a time: about what fits into one message.
    private static let pieceCount = 200

    /// Bytes of an entry's names after which a piece is full; a message takes 64 KiB.
    private static let pieceByteCount = 32_000

    /// The longest target of a link that is shown, which is the longest that the kernel knows.
    private static let maximumTargetByteCount = 4_095

    private let base: AbstractedFS
    private var upload: FTPPath?
    private var listing: ArraySlice<DirectoryEntry> = []
    /// Where the entries of the listing are, while links are shown with where they lead.
    private var linkDirectory: VirtualPath?

    init(_ base: AbstractedFS) {
        self.base = base
    }

    func enterDirectory(_ path: VirtualPath) throws(FileError) {
        try reducingErrors { try base.changeDirectory(FTPPath(path)) }
    }

    func facts(of path: VirtualPath, for purpose: FactsPurpose) throws(FileError) -> FileFacts {
        try reducingErrors {
            try base.info(FTPPath(path), followsLinks: purpose == .showing).facts
        }
    }

    func openForReading(_ path: VirtualPath) throws(FileError) -> OpenedFile {
        let descriptor = try reducingErrors { try base.openForReading(FTPPath(path)).take() }
        let facts = try FileFacts.ofOpenFile(descriptor)
        guard facts.kind == .regular else { throw .notRegular }
        return OpenedFile(descriptor: descriptor, facts: facts, path: path)
    }

    func openForWriting(
        _ path: VirtualPath,
        _ disposition: WriteDisposition
    ) throws(FileError) -> OpenedFile {
        // The one before was forgotten, and so has failed.
        discardUpload()
        let opened = try reducingErrors {
            try base.openForWriting(FTPPath(path), AbstractedFS.WriteMode(disposition))
        }
        let (path, isNew) = (opened.path, opened.isNew)
        upload = path
        let descriptor = try opened.file.take()
        let facts = try FileFacts.ofOpenFile(descriptor)
        guard facts.kind == .regular else { throw .notRegular }
        return OpenedFile(descriptor: descriptor, facts: facts, path: path.base, isNew: isNew)
    }

    func emptyUpload() throws(FileError) {
        guard let upload else { throw .inputOutput }
        try reducingErrors { try base.emptyUpload(upload) }
    }

    func commitUpload() throws(FileError) {
        guard let upload else { throw .inputOutput }
        try reducingErrors { try base.commitUpload(upload) }
        self.upload = nil
    }

    func discardUpload() {
        guard let upload = upload.take() else { return }
        base.discardUpload(upload)
    }

    func makeDirectory(_ path: VirtualPath) throws(FileError) {
        try reducingErrors { try base.makeDirectory(FTPPath(path)) }
    }

    func removeDirectory(_ path: VirtualPath) throws(FileError) {
        try reducingErrors { try base.removeDirectory(FTPPath(path)) }
    }

    func removeFile(_ path: VirtualPath) throws(FileError) {
        try reducingErrors { try base.remove(FTPPath(path)) }
    }

    func rename(_ path: VirtualPath, to newPath: VirtualPath) throws(FileError) {
        try reducingErrors { try base.rename(FTPPath(path), to: FTPPath(newPath)) }
    }

    func setModificationTime(of path: VirtualPath, to seconds: Int64) throws(FileError) {
        try reducingErrors { try base.changeTime(FTPPath(path), to: seconds) }
    }

    func setMode(of path: VirtualPath, to mode: UInt16) throws(FileError) {
        try reducingErrors { try base.changeMode(FTPPath(path), to: mode) }
    }

    func availableByteCount(in path: VirtualPath) throws(FileError) -> Int64 {
        try reducingErrors { try base.availableByteCount(FTPPath(path)) }
    }

    func hostPath(of path: VirtualPath) -> HostPath { .own(base.realPath(of: FTPPath(path))) }

    // What a program's files do not know.

    func extendUpload(by byteCount: Int64) throws(FileError) -> Int64 { byteCount }

    func storageReport() throws(FileError) -> StorageReport { throw .notPermitted }

    func setGroup(of path: VirtualPath, to group: UInt32) throws(FileError) {
        throw .notPermitted
    }

    func makeSymbolicLink(_ path: VirtualPath, to target: VirtualPath) throws(FileError) {
        throw .notPermitted
    }

    func setFileModeMask(_ mask: UInt16) throws(FileError) { throw .notPermitted }

    func message(_ path: VirtualPath) throws(FileError) -> [UInt8] { throw .notFound }

    // MARK: Listings

    @discardableResult
    func beginListing(
        of path: VirtualPath,
        _ query: ListingQuery
    ) throws(FileError) -> FileFacts {
        listing = []
        let options = query.options
        linkDirectory = options.isDisjoint(with: [.namesOnly, .followsLinks]) ? path : nil
        let own = try reducingErrors {
            try base.info(FTPPath(path), followsLinks: !options.contains(.refusesLink)).facts
        }
        if options.contains(.refusesLink), own.kind == .symbolicLink { throw .tooManyLinks }
        guard own.kind == .directory, !options.contains(.directoryItself) || query.pattern != nil
        else {
            if query.pattern != nil { throw .notDirectory }
            let name = path.lastComponent ?? [UInt8(ascii: ".")]
            if linkDirectory != nil { linkDirectory = path.parent }
            listing = [DirectoryEntry(name: name, facts: own)]
            return own
        }
        var entries = try reducingErrors { try base.list(FTPPath(path)) }
            .filter { Self.isName($0.name) }
            .map { DirectoryEntry(name: $0.name, facts: $0.info.facts, target: $0.target) }
        if !options.contains(.hidden) { entries.removeAll { $0.name.first == UInt8(ascii: ".") } }
        if let text = query.pattern {
            let pattern = GlobPattern(text)
            entries.removeAll { pattern?.matches($0.name) != true }
        }
        if options.contains(.followsLinks) {
            entries = entries.map { followed($0, in: path) }
        }
        if options.contains(.sorted) { sort(&entries, options) }
        if options.contains(.dots) {
            let dots = [UInt8(ascii: ".")]
            let above = try? base.info(FTPPath(path.parent), followsLinks: true).facts
            entries.insert(DirectoryEntry(name: dots + dots, facts: above ?? own), at: 0)
            entries.insert(DirectoryEntry(name: dots, facts: own), at: 0)
        }
        listing = entries[...]
        return own
    }

    /// Whether a session may be told of an entry with this name, in a message that is not endless.
    private static func isName(_ bytes: [UInt8]) -> Bool {
        (1...VirtualPath.maximumByteCount).contains(bytes.count)
            && !bytes.contains(UInt8(ascii: "/"))
    }

    private func followed(_ entry: DirectoryEntry, in directory: VirtualPath) -> DirectoryEntry {
        guard entry.facts.kind == .symbolicLink,
            let path = directory.appending(component: entry.name),
            let facts = try? base.info(FTPPath(path), followsLinks: true).facts
        else { return entry }
        return DirectoryEntry(name: entry.name, facts: facts)
    }

    private func sort(_ entries: inout [DirectoryEntry], _ options: ListingOptions) {
        func key(_ entry: DirectoryEntry) -> Int64 {
            if options.contains(.byTime) { return -entry.facts.modified }
            return options.contains(.bySize) ? -entry.facts.size : 0
        }
        entries.sort {
            let (left, right) = (key($0), key($1))
            return left == right ? $0.name.lexicographicallyPrecedes($1.name) : left < right
        }
        if options.contains(.reversed) { entries.reverse() }
    }

    func nextEntries() throws(FileError) -> EntryPiece {
        var piece = EntryPiece()
        var byteCount = 0
        while piece.count < Self.pieceCount, byteCount < Self.pieceByteCount,
            let entry = listing.popFirst()
        {
            let entry = withTarget(entry)
            piece.append(entry.view)
            byteCount += entry.name.count + (entry.target?.count ?? 0)
        }
        return piece
    }

    /// Says where a link leads, which the program is asked for only when it is shown.
    private func withTarget(_ entry: DirectoryEntry) -> DirectoryEntry {
        var entry = entry
        guard let linkDirectory, entry.facts.kind == .symbolicLink else {
            entry.target = nil
            return entry
        }
        if entry.target == nil, let path = linkDirectory.appending(component: entry.name) {
            entry.target = try? base.readLink(FTPPath(path))
        }
        let target = entry.target?.prefix(Self.maximumTargetByteCount) ?? []
        entry.target = target.isEmpty ? nil : Array(target)
        return entry
    }

    // MARK: Rules for places

    /// Tells what stands at a path; a program's own files are taken by their names.
    func resolve(
        _ path: VirtualPath,
        followsLastLink: Bool
    ) throws(FileError) -> ResolvedPath {
        do throws(FileError) {
            let facts = try facts(of: path, for: followsLastLink ? .showing : .renaming)
            return ResolvedPath(path: path, kind: facts.kind)
        } catch {
            guard error == .notFound else { throw error }
            return ResolvedPath(path: path, kind: nil)
        }
    }
}
