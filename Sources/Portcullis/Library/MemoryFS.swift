/// Files in a program's memory: every operation of ``AbstractedFS``, done anew.
///
/// Useful in tests, and the worked example of a file system of one's own: it uses nothing that a
/// program could not use. Each login has one of these; what they share is the ``MemoryStore`` that
/// ``FTPHandler/Settings/attachment`` is set to. Sessions that are processes share no memory, so with
/// ``Concurrency/processes`` each login has what it has stored itself.
public final class MemoryFS: AbstractedFS {
    private var upload: FTPUpload?

    /// A login needs no home.
    public override class var usesHome: Bool { false }

    /// Begins a login.
    public required init(_ login: FileLogin) throws { try super.init(login) }

    private func use<Result: Sendable>(
        _ body: (inout [FTPPath: MemoryNode]) throws -> Result
    ) throws -> Result {
        guard let store = login.attachment as? MemoryStore else { throw FTPFileError.failed }
        return try store.use(body)
    }

    /// Looks whether there is such a directory.
    public override func changeDirectory(_ path: FTPPath) throws {
        guard try use({ try $0.node(path).isDirectory }) else { throw FTPFileError.notDirectory }
    }

    /// Describes a file or a directory.
    public override func info(_ path: FTPPath, followsLinks: Bool) throws -> FTPFileInfo {
        try use { try $0.node(path).info }
    }

    /// Lists what a directory holds.
    public override func list(_ path: FTPPath) throws -> [FTPFileEntry] {
        try use { nodes in
            nodes.children(of: path).map { FTPFileEntry($0.key.name ?? "", $0.value.info) }
        }
    }

    /// Says that there are no symbolic links here.
    public override func readLink(_ path: FTPPath) throws -> [UInt8] {
        _ = try use { try $0.node(path) }
        throw FTPFileError.impossible
    }

    /// Makes a file of what is stored.
    public override func openForReading(_ path: FTPPath) throws -> FTPFile {
        try FTPFile.memory(try use { try $0.content(of: path) })
    }

    /// Makes a file of what is stored, for the session to write to.
    public override func openForWriting(_ path: FTPPath, _ mode: WriteMode) throws -> FTPUpload {
        let (path, old) = try use { nodes in
            let path = mode == .unique ? try nodes.freePath(like: path) : path
            let old = nodes[path] == nil ? nil : try nodes.content(of: path)
            if old != nil, mode == .create { throw FTPFileError.exists }
            guard try nodes.node(path.parent).isDirectory else { throw FTPFileError.notDirectory }
            return (path, old)
        }
        let file = try FTPFile.memory(old ?? [])
        switch mode {
        case .append: try file.seek(to: Int64(old?.count ?? 0))
        case .resume(let offset) where offset > old?.count ?? 0: throw FTPFileError.beyondEnd
        case .resume(let offset): try file.seek(to: offset)
        case .replace, .create, .unique: break
        }
        // The session writes to the same file, which is read here when it is done.
        upload = FTPUpload(path, try file.duplicate(), isNew: old == nil)
        return FTPUpload(path, file, isNew: old == nil)
    }

    /// Empties the file of an upload.
    public override func emptyUpload(_ path: FTPPath) throws { try upload?.file.truncate() }

    /// Stores what an upload has written.
    public override func commitUpload(_ path: FTPPath) throws {
        guard let upload else { throw FTPFileError.failed }
        let bytes = try upload.file.contents()
        try use { $0[upload.path] = MemoryNode(bytes) }
        self.upload = nil
    }

    /// Forgets an upload.
    public override func discardUpload(_ path: FTPPath) { upload = nil }

    /// Makes a directory.
    public override func makeDirectory(_ path: FTPPath) throws {
        try use { try $0.add(MemoryNode(nil), at: path) }
    }

    /// Removes an empty directory.
    public override func removeDirectory(_ path: FTPPath) throws {
        try use { nodes in
            guard try nodes.node(path).isDirectory else { throw FTPFileError.notDirectory }
            guard nodes.children(of: path).isEmpty else { throw FTPFileError.notEmpty }
            guard path != .root else { throw FTPFileError.accessDenied }
            nodes[path] = nil
        }
    }

    /// Removes a file.
    public override func remove(_ path: FTPPath) throws {
        try use { nodes in
            guard try !nodes.node(path).isDirectory else { throw FTPFileError.isDirectory }
            nodes[path] = nil
        }
    }

    /// Gives an object another name.
    public override func rename(_ path: FTPPath, to newPath: FTPPath) throws {
        try use { try $0.move(path, to: newPath) }
    }

    /// Sets the permission bits that listings show.
    public override func changeMode(_ path: FTPPath, to mode: UInt16) throws {
        try use { nodes in
            var node = try nodes.node(path)
            node.mode = mode
            nodes[path] = node
        }
    }

    /// Sets the time that listings show.
    public override func changeTime(_ path: FTPPath, to seconds: Int64) throws {
        try use { nodes in
            var node = try nodes.node(path)
            node.modified = seconds
            nodes[path] = node
        }
    }

    /// Tells of a gigabyte, whatever is stored.
    public override func availableByteCount(_ path: FTPPath) throws -> Int64 { 1 << 30 }
}
