package import FTPProtocol
internal import LinuxSystem

/// Some entries of a listing, in one piece of memory and in the form in which they travel between
/// processes: a large directory's entries are neither allocated nor copied one by one.
package struct EntryPiece: Sendable {
    /// Entries that fit into one message, whatever their names.
    static let maximumCount = 4_096

    /// Some file systems count characters, not bytes, and give longer names than NAME_MAX.
    static let maximumNameByteCount = 4_096

    /// The longest target of a link that the kernel knows.
    static let maximumTargetByteCount = 4_096

    /// How many entries there are.
    package private(set) var count = 0

    /// Whether it says of each entry what the user may do with it.
    let hasPermissions: Bool

    /// The entries, one behind the other, from `start` on.
    private var bytes: [UInt8]
    private let start: Int

    /// Begins a piece without entries.
    package init(hasPermissions: Bool = false) {
        self.hasPermissions = hasPermissions
        bytes = []
        start = 0
    }

    /// Gathers entries; all of them, or none, say what the user may do.
    package init(_ entries: some Sequence<DirectoryEntry>) {
        var piece: EntryPiece?
        for entry in entries {
            var next = piece ?? EntryPiece(hasPermissions: entry.permissions != nil)
            next.append(entry.view)
            piece = next
        }
        self = piece ?? EntryPiece()
    }

    /// Takes the entries that make up the rest of a message, and checks every byte of them.
    init(
        decoding message: [UInt8],
        from start: Int,
        count: Int,
        hasPermissions: Bool
    ) throws(MessageError) {
        self.count = count
        self.hasPermissions = hasPermissions
        self.start = start
        bytes = message
        var position = start
        for _ in 0..<count {
            position = try EntryForm.end(of: position, in: message, hasPermissions)
        }
        guard position == message.count else {
            throw .trailingBytes(count: message.count - position)
        }
    }

    /// Whether there are no entries, which is the end of a listing.
    package var isEmpty: Bool { count == 0 }

    /// The first entry.
    package var first: EntryView? {
        var iterator = makeIterator()
        return iterator.next()
    }

    /// How long the entries are in a message.
    var byteCount: Int { bytes.count - start }

    /// The entries as they travel.
    var encoded: ArraySlice<UInt8> { bytes[start...] }

    /// Makes room, so that a piece that grows is not copied over and over.
    mutating func reserve(byteCount: Int) { bytes.reserveCapacity(byteCount) }

    /// Appends an entry.
    package mutating func append(_ entry: EntryView) {
        append(
            entry.name.span,
            entry.facts,
            target: entry.target,
            permissions: entry.permissions
        )
    }

    /// Appends an entry with this name.
    mutating func append(
        _ name: Span<UInt8>,
        _ facts: FileFacts,
        target: ArraySlice<UInt8>? = nil,
        permissions: Permissions? = nil
    ) {
        let permissions = hasPermissions ? permissions ?? [] : nil
        EntryForm.append(name, facts, target, permissions, to: &bytes)
        count += 1
    }
}

extension EntryPiece: Hashable {
    package static func == (left: EntryPiece, right: EntryPiece) -> Bool {
        left.count == right.count && left.hasPermissions == right.hasPermissions
            && left.encoded == right.encoded
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(encoded) }
}

extension EntryPiece: Sequence {
    /// Goes from entry to entry.
    package struct Iterator: IteratorProtocol {
        fileprivate let bytes: [UInt8]
        fileprivate var position: Int
        fileprivate let hasPermissions: Bool

        /// The next entry.
        package mutating func next() -> EntryView? {
            guard position < bytes.count else { return nil }
            return EntryForm.entry(at: &position, in: bytes, hasPermissions)
        }
    }

    package func makeIterator() -> Iterator {
        Iterator(bytes: bytes, position: start, hasPermissions: hasPermissions)
    }

    package var underestimatedCount: Int { count }
}
