import FTPProtocol
import Glibc
import LinuxSystem

@testable import FileSystem

/// A directory that a jail is made of, with links that lead out of it, and what lies outside.
final class Scratch {
    /// What the jail sees as `/`.
    let root: String
    private let outside: String
    private var directory: TemporaryDirectory?

    init() throws {
        let directory = try TemporaryDirectory.make(prefix: "portcullis-fuzz-")
        root = try directory.makeDirectory("root")
        outside = try directory.makeDirectory("outside")
        _ = try directory.write("outside/secret", Array("outside".utf8))
        _ = try directory.makeDirectory("root/d")
        _ = try directory.makeDirectory("root/d/e")
        _ = try directory.write("root/a", Array("one\ntwo\n".utf8))
        _ = try directory.write("root/d/b", Array("three\r\nfour".utf8))
        _ = try directory.write("root/.message", Array("Welcome\n".utf8))
        let links = [
            ("up", "../outside"), ("far", outside), ("file", "a"), ("loop", "loop"),
            ("d/top", "/"), ("d/above", "../.."), ("proc", "/proc/self/fd"),
        ]
        for (name, target) in links {
            guard unsafe symlink(target, "\(root)/\(name)") == 0 else {
                throw Flaw(description: "no link")
            }
        }
        self.directory = consume directory
    }

    deinit {
        Self.unlock(root)
        directory.take()?.remove()
    }

    /// A file system as an Agent has it.
    func fileSystem(
        _ permissions: Permissions,
        isAtomic: Bool,
        quota: Int64 = 0
    ) throws -> any FileSystem {
        var rules = FileRules(permissions: permissions)
        rules.uploads.isAtomic = isAtomic
        rules.uploads.limits.bytes = quota
        rules.messageFile = Array(".message".utf8)
        let jail = try Jail.opening(root, uploads: rules.uploads)
        if quota > 0 { jail.ledger = QuotaLedger(on: try SharedPage(mapping: SharedPage.make())) }
        return PermittedFileSystem(jail, rules: rules, resolver: jail)
    }

    /// Holds what lies outside to be what it was.
    func checkOutside() throws {
        let secret = try readFile(at: "\(outside)/secret", maximumByteCount: 100)
        try claim(secret == Array("outside".utf8), "a file outside was changed")
        let count = Tree(outside).entries.count
        try claim(count == 2, "something is new outside")
        let parent = Tree(String(outside.dropLast("/outside".count)))
        try claim(parent.names == ["outside", "root"], "something is new beside the root")
    }

    /// Whether an open file lies beneath the root.
    func holds(_ file: borrowing OwnedDescriptor) -> Bool {
        var status = stat()
        guard unsafe fstat(file.number, &status) == 0 else { return false }
        return Tree(root).entries.contains {
            $0.status.st_dev == status.st_dev && $0.status.st_ino == status.st_ino
        }
    }

    /// Every name beneath the root, with what a reader would notice of it.
    func snapshot() -> [String] {
        Tree(root).entries.map { entry in
            let status = entry.status
            return "\(entry.path) \(status.st_mode) \(status.st_ino) \(status.st_size)"
                + " \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)"
        }
    }

    /// Takes away modes that would keep the directory from being removed.
    private static func unlock(_ path: String) {
        _ = Tree(path, unlocking: true)
    }
}

/// What lies in a directory, and beneath it; names are bytes.
private struct Tree {
    struct Entry {
        let path: [CChar]
        let status: stat

        var isDirectory: Bool { status.st_mode & S_IFMT == S_IFDIR }
    }

    /// The directory, then everything in it.
    private(set) var entries: [Entry] = []
    /// The names in the directory itself, as text.
    private(set) var names: Set<String> = []

    init(_ path: String, unlocking: Bool = false) {
        walk(Array(path.utf8CString), depth: 0, unlocking: unlocking)
    }

    private mutating func walk(_ path: [CChar], depth: Int, unlocking: Bool) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        let entry = Entry(path: path, status: status)
        entries.append(entry)
        guard entry.isDirectory else { return }
        if unlocking { _ = unsafe chmod(path, 0o700) }
        guard let directory = unsafe opendir(path) else { return }
        defer { _ = unsafe closedir(directory) }
        while let found = unsafe readdir(directory) {
            // SAFETY: the kernel ends each name with a NUL, and it is copied before the next call.
            let name = unsafe withUnsafePointer(to: &found.pointee.d_name) { start in
                let text = unsafe UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self)
                return unsafe Array(UnsafeBufferPointer(start: text, count: strlen(text)))
            }
            if name == [46] || name == [46, 46] { continue }
            if depth == 0 {
                names.insert(String(decoding: name.map(UInt8.init(bitPattern:)), as: UTF8.self))
            }
            walk(path.dropLast() + [47] + name + [0], depth: depth + 1, unlocking: unlocking)
        }
    }
}
