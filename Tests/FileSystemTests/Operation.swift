import FTPProtocol
import FileSystem
import Glibc
import LinuxSystem
import TestSupport

/// Every operation that a file system has, in all forms that take different permissions.
enum Operation: CaseIterable {
    case enterDirectory
    case showFacts
    case factsForRenaming
    case openForReading
    case replace
    case append
    case resume
    case unique
    case makeDirectory
    case removeDirectory
    case removeFile
    case rename
    case setModificationTime
    case setMode
    case list
    case listItself
    case setGroup
    case makeSymbolicLink
    case setFileModeMask
    case availableByteCount

    /// The one letter that it takes.
    var letter: String {
        switch self {
        case .enterDirectory: "e"
        case .showFacts, .list, .listItself: "l"
        case .openForReading: "r"
        case .append: "a"
        case .removeDirectory, .removeFile: "d"
        case .factsForRenaming, .rename: "f"
        case .makeDirectory: "m"
        case .replace, .resume, .unique, .makeSymbolicLink,
            .availableByteCount:
            "w"
        case .setMode, .setGroup, .setFileModeMask: "M"
        case .setModificationTime: "T"
        }
    }

    /// Carries it out on `/a`.
    func perform(on fileSystem: any FileSystem) throws {
        let a = try path("/a")
        switch self {
        case .enterDirectory: try fileSystem.enterDirectory(a)
        case .showFacts: _ = try fileSystem.facts(of: a, for: .showing)
        case .factsForRenaming: _ = try fileSystem.facts(of: a, for: .renaming)
        case .openForReading: _ = try fileSystem.openForReading(a)
        case .replace: _ = try fileSystem.openForWriting(a, .replace)
        case .append: _ = try fileSystem.openForWriting(a, .append)
        case .resume: _ = try fileSystem.openForWriting(a, .resume(offset: 5))
        case .unique: _ = try fileSystem.openForWriting(a, .unique)
        case .makeDirectory: try fileSystem.makeDirectory(a)
        case .removeDirectory: try fileSystem.removeDirectory(a)
        case .removeFile: try fileSystem.removeFile(a)
        case .rename: try fileSystem.rename(a, to: path("/b"))
        case .setModificationTime: try fileSystem.setModificationTime(of: a, to: 99)
        case .setMode: try fileSystem.setMode(of: a, to: 0o640)
        case .list: try fileSystem.beginListing(of: a, [.sorted, .hidden])
        case .listItself: try fileSystem.beginListing(of: a, .directoryItself)
        case .setGroup: try fileSystem.setGroup(of: a, to: 4_711)
        case .makeSymbolicLink: try fileSystem.makeSymbolicLink(a, to: path("/b"))
        case .setFileModeMask: try fileSystem.setFileModeMask(0o027)
        case .availableByteCount: _ = try fileSystem.availableByteCount(in: a)
        }
    }

    /// What a ``RecordingFileSystem`` notes when it is carried out.
    var note: String {
        switch self {
        case .enterDirectory: "enter /a"
        case .showFacts: "facts /a showing"
        case .factsForRenaming: "facts /a renaming"
        case .openForReading: "read /a"
        case .replace: "write /a replace"
        case .append: "write /a append"
        case .resume: "write /a resume(offset: 5)"
        case .unique: "write /a unique"
        case .makeDirectory: "make /a"
        case .removeDirectory: "remove directory /a"
        case .removeFile: "remove /a"
        case .rename: "rename /a /b"
        case .setModificationTime: "time /a 99"
        case .setMode: "mode /a 416"
        case .list: "list /a 3"
        case .listItself: "list /a 32"
        case .setGroup: "group /a 4711"
        case .makeSymbolicLink: "link /a /b"
        case .setFileModeMask: "mask 23"
        case .availableByteCount: "available /a"
        }
    }
}

/// Facts that no real file has.
let sampleFacts = FileFacts(
    kind: .socket,
    mode: 0o4751,
    linkCount: 0x0102_0304,
    owner: 0xF1F2_F3F4,
    group: 0xE1E2_E3E4,
    size: 0x0123_4567_89AB_CDEF,
    modified: -62_000_000_000,
    device: 0xFEDC_BA98_7654_3210,
    inode: .max
)

/// A file system that does nothing and notes what it was asked.
final class RecordingFileSystem: FileSystem {
    private(set) var notes: [String] = [] {
        didSet { if let last = notes.last { listener(last) } }
    }

    private let listener: (String) -> Void

    /// What a listing gives, piece by piece, before it ends.
    var pieces: [EntryPiece] = []

    /// Tells each note to `listener` as well.
    init(listener: @escaping (String) -> Void = { _ in }) {
        self.listener = listener
    }

    func enterDirectory(_ path: VirtualPath) throws(FileError) {
        notes.append("enter \(path.text)")
    }

    func facts(of path: VirtualPath, for purpose: FactsPurpose) throws(FileError) -> FileFacts {
        notes.append("facts \(path.text) \(purpose)")
        return sampleFacts
    }

    private func null(_ path: VirtualPath) throws(FileError) -> OpenedFile {
        let number = unsafe Glibc.open("/dev/null", O_RDWR | O_CLOEXEC)
        guard number >= 0 else { throw .inputOutput }
        return OpenedFile(
            descriptor: OwnedDescriptor(owning: number),
            facts: sampleFacts,
            path: path
        )
    }

    func openForReading(_ path: VirtualPath) throws(FileError) -> OpenedFile {
        notes.append("read \(path.text)")
        return try null(path)
    }

    func openForWriting(
        _ path: VirtualPath,
        _ disposition: WriteDisposition
    ) throws(FileError) -> OpenedFile {
        notes.append("write \(path.text) \(disposition)")
        return try null(path)
    }

    func makeDirectory(_ path: VirtualPath) throws(FileError) {
        notes.append("make \(path.text)")
    }

    func removeDirectory(_ path: VirtualPath) throws(FileError) {
        notes.append("remove directory \(path.text)")
    }

    func removeFile(_ path: VirtualPath) throws(FileError) {
        notes.append("remove \(path.text)")
    }

    func emptyUpload() throws(FileError) {
        notes.append("empty")
    }

    func commitUpload() throws(FileError) {
        notes.append("commit")
    }

    func discardUpload() {
        notes.append("discard")
    }

    func extendUpload(by byteCount: Int64) throws(FileError) -> Int64 {
        notes.append("extend \(byteCount)")
        return byteCount
    }

    func storageReport() throws(FileError) -> StorageReport {
        notes.append("storage")
        return StorageReport(limits: StorageLimits(), usedBytes: 1, usedFiles: 2)
    }

    func rename(_ path: VirtualPath, toFree newPath: VirtualPath) throws(FileError) {
        notes.append("rename \(path.text) free \(newPath.text)")
    }

    func rename(_ path: VirtualPath, to newPath: VirtualPath) throws(FileError) {
        notes.append("rename \(path.text) \(newPath.text)")
    }

    func setModificationTime(of path: VirtualPath, to seconds: Int64) throws(FileError) {
        notes.append("time \(path.text) \(seconds)")
    }

    func setMode(of path: VirtualPath, to mode: UInt16) throws(FileError) {
        notes.append("mode \(path.text) \(mode)")
    }

    func setGroup(of path: VirtualPath, to group: UInt32) throws(FileError) {
        notes.append("group \(path.text) \(group)")
    }

    func makeSymbolicLink(_ path: VirtualPath, to target: VirtualPath) throws(FileError) {
        notes.append("link \(path.text) \(target.text)")
    }

    func setFileModeMask(_ mask: UInt16) throws(FileError) {
        notes.append("mask \(mask)")
    }

    func availableByteCount(in path: VirtualPath) throws(FileError) -> Int64 {
        notes.append("available \(path.text)")
        return 0x0123_4567_89AB
    }

    func message(_ path: VirtualPath) throws(FileError) -> [UInt8] {
        notes.append("message \(path.text)")
        return bytes("hello")
    }

    func beginListing(
        of path: VirtualPath,
        _ query: ListingQuery
    ) throws(FileError) -> FileFacts {
        notes.append("list \(path.text) \(query.options.rawValue)")
        return sampleFacts
    }

    func nextEntries() throws(FileError) -> EntryPiece {
        notes.append("next")
        return pieces.isEmpty ? EntryPiece() : pieces.removeFirst()
    }
}
