internal import FTPProtocol
package import LinuxSystem

/// What an upload leaves behind when the process that writes it down is killed, on a page that
/// outlives that process.
///
/// Written by an Agent, step by step before each step is done; read by whoever ends its upload in
/// its place, with the same user's rights. An Agent that is somebody else's by now can have that
/// one remove what the user could remove anyway.
package final class UploadJournal {
    private enum Place {
        /// ``State``, as a number.
        static let state = 0
        static let kind = 1
        static let device = 2
        static let inode = 3
        static let oldSize = 4
        static let promisedBytes = 5
        static let promisedFiles = 6
        static let committedBytes = 7
        static let committedFiles = 8
        /// How long the directory's path and the name are.
        static let lengths = 9
        static let text = 10
    }

    private enum State {
        static let none: Int64 = 0
        static let counting: Int64 = 1
        static let open: Int64 = 2
        static let emptied: Int64 = 3
        static let committing: Int64 = 4
    }

    private static let maximumTextByteCount = (SharedPage.count - Place.text) * 8

    private let page: SharedPage

    /// Keeps the journal on `page`.
    package init(on page: SharedPage) {
        self.page = page
    }

    // MARK: Writing

    /// An upload begins, or is about to.
    func begin(
        _ kind: LeftUpload.Kind,
        in directory: VirtualPath,
        _ name: [UInt8],
        _ facts: FileFacts? = nil
    ) {
        let text = directory.bytes + name
        guard text.count <= Self.maximumTextByteCount else { return }
        set(Place.kind, Int64(kind.rawValue))
        set(Place.device, Int64(bitPattern: facts?.device ?? 0))
        set(Place.inode, Int64(bitPattern: facts?.inode ?? 0))
        set(Place.oldSize, kind == .old ? facts?.size ?? 0 : 0)
        promise(bytes: 0, files: 0)
        set(Place.lengths, Int64(directory.bytes.count) << 32 | Int64(name.count))
        for start in stride(from: 0, to: text.count, by: 8) {
            let piece = text[start..<min(start + 8, text.count)]
            let number = piece.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            set(Place.text + start / 8, Int64(bitPattern: number))
        }
        set(Place.state, State.open)
    }

    /// The user's files are about to be counted.
    func beginCounting() {
        if page.load(Place.state) == State.none { set(Place.state, State.counting) }
    }

    /// The user's files have been counted.
    func endCounting() {
        if page.load(Place.state) == State.counting { set(Place.state, State.none) }
    }

    /// What the quota has promised to the upload so far.
    func promise(bytes: Int64, files: Int64) {
        set(Place.promisedBytes, bytes)
        set(Place.promisedFiles, files)
    }

    /// The old content of the file is about to go.
    func noteEmptying() {
        if page.load(Place.state) == State.open { set(Place.state, State.emptied) }
    }

    /// The part is about to get its name, by which bytes and files come or go.
    func noteCommitting(bytes: Int64, files: Int64) {
        set(Place.committedBytes, bytes)
        set(Place.committedFiles, files)
        if page.load(Place.state) == State.open { set(Place.state, State.committing) }
    }

    /// Nothing would be left.
    func end() { set(Place.state, State.none) }

    private func set(_ place: Int, _ number: Int64) {
        // Nobody else writes while this process lives.
        _ = page.exchange(page.load(place), for: number, at: place)
    }

    // MARK: Reading

    /// Whether something is left to be ended.
    package var isOpen: Bool { page.load(Place.state) != State.none }

    /// Whether the user's files were being counted.
    var wasCounting: Bool { page.load(Place.state) == State.counting }

    /// The upload that goes on; `nil` when there is none, or when what stands here is none.
    var left: LeftUpload? {
        let state = page.load(Place.state)
        guard [State.open, State.emptied, State.committing].contains(state),
            let kind = LeftUpload.Kind(rawValue: page.load(Place.kind))
        else { return nil }
        let oldSize = page.load(Place.oldSize)
        guard oldSize >= 0 else { return nil }
        let lengths = page.load(Place.lengths)
        let (directoryCount, nameCount) = (Int(lengths >> 32), Int(lengths & 0xFFFF_FFFF))
        guard directoryCount > 0, nameCount > 0, nameCount <= Self.maximumTextByteCount,
            directoryCount <= Self.maximumTextByteCount - nameCount
        else { return nil }
        let text = (0..<(directoryCount + nameCount)).map { index in
            let number = UInt64(bitPattern: page.load(Place.text + index / 8))
            return UInt8(truncatingIfNeeded: number >> UInt64(index % 8 * 8))
        }
        let name = Array(text.dropFirst(directoryCount))
        guard let directory = VirtualPath(bytes: Array(text.prefix(directoryCount))),
            !name.contains(0), !name.contains(UInt8(ascii: "/")),
            !name.elementsEqual(".".utf8), !name.elementsEqual("..".utf8)
        else { return nil }
        return LeftUpload(
            kind: kind,
            directory: directory,
            name: name,
            device: UInt64(bitPattern: page.load(Place.device)),
            inode: UInt64(bitPattern: page.load(Place.inode)),
            oldSize: oldSize,
            hasEmptied: state == State.emptied,
            promised: (page.load(Place.promisedBytes), page.load(Place.promisedFiles)),
            committed: state == State.committing
                ? (page.load(Place.committedBytes), page.load(Place.committedFiles)) : (0, 0)
        )
    }
}

/// An upload whose process was killed.
struct LeftUpload {
    /// What it wrote to.
    enum Kind: Int64 {
        /// A part, which nobody else knows of.
        case part = 1
        /// A file that it made under its own name.
        case new
        /// A file that was there before.
        case old
    }

    let kind: Kind
    let directory: VirtualPath
    let name: [UInt8]
    let device: UInt64
    let inode: UInt64
    let oldSize: Int64
    let hasEmptied: Bool
    /// Bytes and files that a quota counts as there.
    let promised: (bytes: Int64, files: Int64)
    /// What has come of a part that has its name now.
    let committed: (bytes: Int64, files: Int64)

    /// Whether `facts` are those of the file, and not of another that has its name by now.
    func isFile(_ facts: FileFacts) -> Bool {
        facts.device == device && facts.inode == inode
    }
}
