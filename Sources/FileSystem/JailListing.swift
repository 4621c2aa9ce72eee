internal import CLinux
internal import FTPProtocol
internal import Glibc
internal import LinuxSystem
internal import SystemPackage

/// A listing of one directory in pieces, so that neither the Agent nor a Session ever holds all of
/// a large directory's facts.
final class JailListing {
    /// Directories with more names than this are listed in the kernel's order.
    static let maximumSortedCount = 100_000

    /// About as many bytes of entries as fit into one message.
    static let maximumPieceByteCount = 48_000

    /// As much is read of a directory at a time.
    private static let readByteCount = 32_768

    /// What was listed.
    let facts: FileFacts

    private let path: VirtualPath
    private let options: ListingOptions
    private let pattern: GlobPattern?
    private let directory: OwnedDescriptor
    private var names = DirectoryNames()
    /// When a piece is full; the first one is small, because who waits for it waits for all of it.
    private var pieceByteCount = 4_000
    private var isExhausted = false
    /// The directory is the jail's root, by whatever path it was reached.
    private let isRoot: Bool
    private let hidesParts: Bool
    /// A path that is no directory: the one entry there is.
    private var single: DirectoryEntry?

    init(
        of path: VirtualPath,
        in root: borrowing JailRoot,
        _ query: ListingQuery,
        showsParts: Bool = false
    ) throws(SystemError) {
        let options = query.options
        self.path = path
        self.options = options
        hidesParts = root.hidesParts && !showsParts
        pattern = query.pattern.flatMap { GlobPattern($0) }
        let refusesLink = options.contains(.refusesLink)
        let located = try root.locate(path, followsLinks: !refusesLink)
        facts = try FileFacts.of(located)
        let rootFacts = try FileFacts.of(root.descriptor)
        isRoot = facts.device == rootFacts.device && facts.inode == rootFacts.inode
        if query.pattern == nil,
            facts.kind != .directory || options.contains(.directoryItself)
        {
            directory = located
            isExhausted = true
            single = DirectoryEntry(
                name: path.lastComponent ?? [UInt8(ascii: ".")],
                facts: facts,
                target: nil
            )
            return
        }
        directory = try root.open(
            path,
            flags: O_RDONLY | O_DIRECTORY | (refusesLink ? O_NOFOLLOW : 0)
        )
        // A pattern that is too long to be one fits no name.
        if query.pattern != nil, pattern == nil { isExhausted = true }
        if options.contains(.sorted) { try readSorted() }
    }

    /// The next entries, none at the end.
    func next(in root: borrowing JailRoot) throws(SystemError) -> EntryPiece {
        var piece = EntryPiece()
        if let entry = single.take() {
            piece.append(entry.view)
            return piece
        }
        piece.reserve(byteCount: pieceByteCount + 512)
        while piece.byteCount < pieceByteCount {
            if names.isEmpty {
                guard !isExhausted, piece.isEmpty || piece.byteCount < pieceByteCount / 2 else {
                    break
                }
                names.removeAll()
                try readNames()
                continue
            }
            _ = try unsafe names.withNext { name, path throws(SystemError) in
                try unsafe append(name, path, to: &piece, in: root)
            }
        }
        pieceByteCount = min(Self.maximumPieceByteCount, pieceByteCount * 4)
        return piece
    }

    private func readSorted() throws(SystemError) {
        while !isExhausted, names.count < Self.maximumSortedCount,
            names.byteCount < DirectoryNames.maximumByteCount
        {
            try readNames()
        }
        guard isExhausted else { return }
        let isReversed = options.contains(.reversed)
        guard options.contains(.byTime) || options.contains(.bySize) else {
            names.sort(isReversed: isReversed)
            return
        }
        try unsafe names.sort(isReversed: isReversed) { path throws(SystemError) in
            guard let facts = try unsafe facts(at: path) else { return nil }
            return options.contains(.byTime) ? facts.modified : facts.size
        }
    }

    /// Appends the names of one `getdents64(2)`.
    private func readNames() throws(SystemError) {
        var count = 0
        let number = directory.number
        let buffer = unsafe [UInt8](unsafeUninitializedCapacity: Self.readByteCount) {
            memory,
            filled in
            count = unsafe CLinux_getdents64(number, memory.baseAddress, memory.count)
            filled = max(0, count)
        }
        guard count >= 0 else { throw SystemError("getdents64", Errno(rawValue: CInt(-count))) }
        if count == 0 { isExhausted = true }
        // struct linux_dirent64: u64 inode, s64 offset, u16 length, u8 type, name with its NUL.
        let records = buffer.span
        var start = 0
        while start + 19 < records.count {
            let length = Int(records[start + 16]) | Int(records[start + 17]) << 8
            let end = start + length
            guard length > 19, end <= records.count else { break }
            var nameEnd = start + 19
            while nameEnd < end, records[nameEnd] != 0 { nameEnd += 1 }
            let name = records.extracting((start + 19)..<nameEnd)
            if isWanted(name) { names.append(name) }
            start = end
        }
    }

    private func isWanted(_ name: Span<UInt8>) -> Bool {
        guard !name.isEmpty else { return false }
        if name[0] == Self.dot {
            let isDots = name.count == 1 || isAbove(name)
            guard
                options.contains(isDots ? .dots : .hidden)
                    || !isDots && pattern?.wantsHidden ?? false
            else { return false }
            if hidesParts, PartName.matches(Self.copy(of: name)) { return false }
        }
        return pattern?.matches(Self.copy(of: name)) ?? true
    }

    /// The facts of what has a name; `nil` when it is gone, or not to be seen by this user.
    ///
    /// - Throws: ``SystemError`` with `EIO`: whoever keeps a copy of the directory and removes from
    ///   it what is not listed would lose the file.
    private func facts(at path: UnsafePointer<CChar>) throws(SystemError) -> FileFacts? {
        var status = stat()
        let result = unsafe fstatat(directory.number, path, &status, AT_SYMLINK_NOFOLLOW)
        if result == 0 { return FileFacts(status) }
        let error = SystemError("fstatat")
        guard error.errno != .ioError else { throw error }
        return nil
    }

    /// Appends the entry of one name, unless that is gone since it was read.
    private func append(
        _ name: Span<UInt8>,
        _ path: UnsafePointer<CChar>,
        to piece: inout EntryPiece,
        in root: borrowing JailRoot
    ) throws(SystemError) {
        guard !options.contains(.namesOnly) else {
            piece.append(name, FileFacts(stat()))
            return
        }
        guard let facts = try unsafe facts(at: path) else { return }
        switch facts.kind {
        case .directory where isRoot && isAbove(name):
            // `..` of the root must not show what lies above it.
            piece.append(name, (try? FileFacts.of(directory)) ?? facts)
        case .symbolicLink:
            if let followed = followed(Self.copy(of: name), in: root) {
                piece.append(name, followed)
            } else {
                piece.append(name, facts, target: unsafe linkTarget(at: path))
            }
        default: piece.append(name, facts)
        }
    }

    private func isAbove(_ name: Span<UInt8>) -> Bool {
        name.count == 2 && name[0] == Self.dot && name[1] == Self.dot
    }

    private static let dot = UInt8(ascii: ".")

    private static func copy(of name: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in name.indices { bytes.append(name[index]) }
        return bytes
    }

    /// The facts of what a link leads to, if that is wanted and there.
    private func followed(_ name: [UInt8], in root: borrowing JailRoot) -> FileFacts? {
        guard options.contains(.followsLinks), let target = path.appending(component: name),
            let located = try? root.locate(target, onTheWay: .all)
        else { return nil }
        return try? FileFacts.of(located)
    }

    private func linkTarget(at path: UnsafePointer<CChar>) -> ArraySlice<UInt8>? {
        var target = [UInt8](repeating: 0, count: EntryPiece.maximumTargetByteCount)
        let number = directory.number
        let count = unsafe target.withUnsafeMutableBytes { memory in
            guard let text = unsafe memory.assumingMemoryBound(to: CChar.self).baseAddress else {
                return 0
            }
            return unsafe readlinkat(number, path, text, memory.count)
        }
        return count > 0 ? target.prefix(count) : nil
    }
}
