import FTPProtocol
import FileSystem
import Glibc
import LinuxSystem
import TestSupport

/// A path that a test writes as a literal.
func path(_ text: String) throws -> VirtualPath {
    guard let path = VirtualPath(text) else { throw Missing() }
    return path
}

/// A directory that a jail is made of, and one beside it that nobody may reach.
final class Ground {
    /// What the jail sees as `/`.
    let root: String
    /// The directory beside it, which holds `secret`.
    let outside: String

    private var directory: TemporaryDirectory?

    init() throws {
        let directory = try TemporaryDirectory.make(prefix: "portcullis-test-")
        root = try directory.makeDirectory("root")
        outside = try directory.makeDirectory("outside")
        _ = try directory.write("outside/secret", bytes("outside"))
        self.directory = consume directory
    }

    deinit {
        directory.take()?.remove()
    }

    /// A jail whose `/` is ``root``.
    func jail(openMode: UInt16 = 0o666, uploads: UploadRules = UploadRules()) throws -> Jail {
        try Jail.opening(root, openMode: openMode, uploads: uploads)
    }

    /// Writes a new file beneath the root.
    func write(_ name: String, _ text: String = "") throws {
        guard (try directory?.write("root/\(name)", bytes(text))) != nil else { throw Missing() }
    }

    /// Makes a directory beneath the root.
    func makeDirectory(_ name: String) throws {
        guard (try directory?.makeDirectory("root/\(name)")) != nil else { throw Missing() }
    }

    /// Makes a symbolic link beneath the root.
    func link(_ name: String, to target: String) throws {
        guard unsafe symlink(target, "\(root)/\(name)") == 0 else { throw Missing() }
    }

    /// The content of a file beneath the root, or `nil`.
    func content(_ name: String) -> String? {
        guard let found = try? readFile(at: "\(root)/\(name)", maximumByteCount: 1 << 20) else {
            return nil
        }
        return String(decoding: found, as: UTF8.self)
    }

    /// What stands in the file outside.
    var secret: String? {
        let found = try? readFile(at: "\(outside)/secret", maximumByteCount: 100)
        return found.map { String(decoding: $0, as: UTF8.self) }
    }

    /// What is known about a name beneath the root, or `nil` when it does not exist.
    func status(_ name: String) -> stat? {
        var status = stat()
        return unsafe lstat("\(root)/\(name)", &status) == 0 ? status : nil
    }

    /// The permission bits of a name beneath the root.
    func mode(_ name: String) -> UInt16? {
        status(name).map { UInt16($0.st_mode & 0o7777) }
    }
}

/// Everything that a file holds from its current offset on.
func readAll(_ file: consuming OpenedFile) throws -> String {
    let descriptor = file.takeDescriptor()
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while true {
        let number = descriptor.number
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe Glibc.read(number, $0.baseAddress, $0.count)
        }
        guard count >= 0 else { throw Missing() }
        if count == 0 { return String(decoding: result, as: UTF8.self) }
        result += buffer.prefix(count)
    }
}

/// Writes `text` at the file's current offset and closes it.
func writeAll(_ text: String, to file: consuming OpenedFile) throws {
    let descriptor = file.takeDescriptor()
    let number = descriptor.number
    let bytes = bytes(text)
    let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(number, $0.baseAddress, $0.count)
    }
    guard count == bytes.count else { throw Missing() }
    try descriptor.close()
}

/// All entries of a listing.
func list(
    _ text: String,
    in fileSystem: any FileSystem,
    _ options: ListingOptions = .sorted
) throws -> [DirectoryEntry] {
    try fileSystem.beginListing(of: path(text), options)
    var entries: [DirectoryEntry] = []
    while true {
        let piece = try fileSystem.nextEntries()
        if piece.isEmpty { return entries }
        entries += piece.map { DirectoryEntry($0) }
    }
}

extension [DirectoryEntry] {
    /// The names as text.
    var names: [String] { map { String(decoding: $0.name, as: UTF8.self) } }

    /// The entry called `name`.
    func named(_ name: String) -> DirectoryEntry? { first { $0.name == bytes(name) } }
}

extension Sequence<EntryView> {
    /// The names as text.
    var names: [String] { map { String(decoding: $0.name, as: UTF8.self) } }
}
