internal import Glibc
internal import Synchronization

/// What all logins of one server have stored in its memory (``MemoryFS``).
public final class MemoryStore: Sendable {
    private let nodes = Mutex<[FTPPath: MemoryNode]>([.root: MemoryNode(nil)])

    /// Creates a store with nothing but the top directory.
    public init() {}

    func use<Result: Sendable>(
        _ body: (inout [FTPPath: MemoryNode]) throws -> Result
    ) throws -> Result {
        try nodes.withLock { try body(&$0) }
    }
}

/// A file, or a directory where there is no content.
struct MemoryNode: Sendable {
    var content: [UInt8]?
    var modified = Int64(time(nil))
    var mode: UInt16

    init(_ content: [UInt8]?) {
        self.content = content
        mode = content == nil ? 0o755 : 0o644
    }

    var isDirectory: Bool { content == nil }

    var info: FTPFileInfo {
        FTPFileInfo(
            isDirectory ? .directory : .file,
            size: Int64(content?.count ?? 0),
            modified: modified,
            mode: mode
        )
    }
}

extension [FTPPath: MemoryNode] {
    func node(_ path: FTPPath) throws -> MemoryNode {
        guard let node = self[path] else { throw FTPFileError.notFound }
        return node
    }

    func content(of path: FTPPath) throws -> [UInt8] {
        guard let content = try node(path).content else { throw FTPFileError.isDirectory }
        return content
    }

    func children(of path: FTPPath) -> [FTPPath: MemoryNode] {
        filter { $0.key.parent == path && $0.key != path }
    }

    func freePath(like path: FTPPath) throws -> FTPPath {
        guard self[path] != nil else { return path }
        for number in 1...10_000 {
            let name = "\(path.name ?? "file").\(number)"
            if let free = path.parent.appending(name), self[free] == nil { return free }
        }
        throw FTPFileError.exists
    }

    mutating func add(_ node: MemoryNode, at path: FTPPath) throws {
        guard self[path] == nil else { throw FTPFileError.exists }
        guard try self.node(path.parent).isDirectory else { throw FTPFileError.notDirectory }
        self[path] = node
    }

    mutating func move(_ path: FTPPath, to newPath: FTPPath) throws {
        let node = try node(path)
        guard path != .root, !newPath.components.starts(with: path.components) else {
            throw FTPFileError.impossible
        }
        guard try self.node(newPath.parent).isDirectory else { throw FTPFileError.notDirectory }
        if let old = self[newPath] {
            guard !old.isDirectory, !node.isDirectory else { throw FTPFileError.exists }
        }
        for (from, moved) in self where from.components.starts(with: path.components) {
            var to = newPath
            for name in from.components.dropFirst(path.components.count) {
                to = to.appending(String(decoding: name, as: UTF8.self)) ?? to
            }
            self[from] = nil
            self[to] = moved
        }
    }
}
