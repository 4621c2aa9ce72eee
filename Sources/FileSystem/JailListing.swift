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
    static let pieceByteCount = 48_000

    /// What was listed.
    let facts: FileFacts

    private let path: VirtualPath
    private let options: ListingOptions
    private let pattern: GlobPattern?
    private let directory: OwnedDescriptor
    /// Names that were read and not yet delivered, last first.
    private var names: [[UInt8]] = []
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
    func next(in root: borrowing JailRoot) throws(SystemError) -> [DirectoryEntry] {
        if let entry = single.take() { return [entry] }
        var entries: [DirectoryEntry] = []
        var byteCount = 0
        while byteCount < Self.pieceByteCount {
            if names.isEmpty {
                guard !isExhausted, entries.isEmpty || byteCount < Self.pieceByteCount / 2 else {
                    break
                }
                try readNames()
                names.reverse()
                continue
            }
            let name = names.removeLast()
            // Gone between the reading of the name and now: leave it out.
            guard let entry = try entry(named: name, in: root) else { continue }
            byteCount += 80 + entry.name.count + (entry.target?.count ?? 0)
            entries.append(entry)
        }
        return entries
    }

    private func readSorted() throws(SystemError) {
        while !isExhausted, names.count < Self.maximumSortedCount { try readNames() }
        guard isExhausted else {
            names.reverse()
            return
        }
        if options.contains(.byTime) || options.contains(.bySize) {
            try sortByFacts()
        } else if options.contains(.reversed) {
            names.sort { $0.lexicographicallyPrecedes($1) }
        } else {
            names.sort { $1.lexicographicallyPrecedes($0) }
        }
    }

    /// Sorts by time or size, and by name where these are the same.
    private func sortByFacts() throws(SystemError) {
        var keyed: [(key: Int64, name: [UInt8])] = []
        for name in names {
            guard let facts = try facts(named: name) else { continue }
            keyed.append((options.contains(.byTime) ? facts.modified : facts.size, name))
        }
        names = []
        // The last one is delivered first.
        keyed.sort {
            $0.key == $1.key ? $1.name.lexicographicallyPrecedes($0.name) : $0.key < $1.key
        }
        if options.contains(.reversed) { keyed.reverse() }
        names = keyed.map(\.name)
    }

    /// Appends the names of one `getdents64(2)`.
    private func readNames() throws(SystemError) {
        var count = 0
        let number = directory.number
        let buffer = unsafe [UInt8](unsafeUninitializedCapacity: 32_768) { memory, filled in
            count = unsafe CLinux_getdents64(number, memory.baseAddress, memory.count)
            filled = max(0, count)
        }
        guard count >= 0 else { throw SystemError("getdents64", Errno(rawValue: CInt(-count))) }
        if count == 0 { isExhausted = true }
        // struct linux_dirent64: u64 inode, s64 offset, u16 length, u8 type, name with its NUL.
        var start = 0
        while start + 19 < buffer.count {
            let length = Int(buffer[start + 16]) | Int(buffer[start + 17]) << 8
            let end = start + length
            guard length > 19, end <= buffer.count else { break }
            let name = buffer[(start + 19)..<end].prefix { $0 != 0 }
            if isWanted(name) { names.append([UInt8](name)) }
            start = end
        }
    }

    private func isWanted(_ name: ArraySlice<UInt8>) -> Bool {
        if name.first == UInt8(ascii: ".") {
            let isDots = name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8)
            guard
                options.contains(isDots ? .dots : .hidden)
                    || !isDots && pattern?.wantsHidden ?? false
            else { return false }
        }
        if hidesParts, PartName.matches(name) { return false }
        return pattern?.matches([UInt8](name)) ?? true
    }

    /// The facts of one name; `nil` when it is gone, or not to be seen by this user.
    ///
    /// - Throws: ``SystemError`` with `EIO`: whoever keeps a copy of the directory and removes from
    ///   it what is not listed would lose the file.
    private func facts(named name: [UInt8]) throws(SystemError) -> FileFacts? {
        var status = stat()
        let number = directory.number
        let result = unsafe withPathPointer(name) {
            unsafe fstatat(number, $0, &status, AT_SYMLINK_NOFOLLOW)
        }
        if result == 0 { return FileFacts(status) }
        let error = SystemError("fstatat")
        guard error.errno != .ioError else { throw error }
        return nil
    }

    private func entry(
        named name: [UInt8],
        in root: borrowing JailRoot
    ) throws(SystemError) -> DirectoryEntry? {
        if options.contains(.namesOnly) {
            return DirectoryEntry(name: name, facts: FileFacts(stat()), target: nil)
        }
        guard var facts = try facts(named: name) else { return nil }
        // `..` of the root must not show what lies above it.
        if isRoot, name.elementsEqual("..".utf8), let own = try? FileFacts.of(directory) {
            facts = own
        }
        guard facts.kind == .symbolicLink else {
            return DirectoryEntry(name: name, facts: facts, target: nil)
        }
        if options.contains(.followsLinks), let target = path.appending(component: name),
            let located = try? root.locate(target, onTheWay: .all),
            let followed = try? FileFacts.of(located)
        {
            return DirectoryEntry(name: name, facts: followed, target: nil)
        }
        return DirectoryEntry(name: name, facts: facts, target: linkTarget(of: name))
    }

    private func linkTarget(of name: [UInt8]) -> [UInt8]? {
        let number = directory.number
        var target = [CChar](repeating: 0, count: 4_096)
        let count = unsafe withPathPointer(name) {
            unsafe readlinkat(number, $0, &target, target.count)
        }
        return count > 0 ? target.prefix(count).map { UInt8(bitPattern: $0) } : nil
    }
}
