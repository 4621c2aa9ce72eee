internal import FTPProtocol
internal import LinuxSystem

/// What the process that opens files answers.
///
/// An opened file travels beside the message.
enum FileReply: Hashable {
    case done
    case failed(FileError)
    case facts(FileFacts)
    case opened(FileFacts, VirtualPath, isNew: Bool = false, isMetered: Bool = false)
    case storage(StorageReport)
    case entries([DirectoryEntry])
    case byteCount(Int64)
    case text([UInt8])

    private enum Tag: UInt8 {
        case done = 1
        case failed
        case facts
        case opened
        case entries
        case byteCount
        case storage
        case text
    }

    /// Entries that fit into one message, whatever their names.
    private static let maximumEntryCount = 4_096

    /// Some file systems count characters, not bytes, and give longer names than NAME_MAX.
    private static let maximumNameByteCount = 4_096

    /// The message.
    var encoded: [UInt8] {
        switch self {
        case .done:
            return MessageWriter(tag: Tag.done.rawValue).bytes
        case .failed(let error):
            var writer = MessageWriter(tag: Tag.failed.rawValue)
            writer.put(error.rawValue)
            return writer.bytes
        case .facts(let facts):
            var writer = MessageWriter(tag: Tag.facts.rawValue)
            writer.put(facts)
            return writer.bytes
        case .opened(let facts, let path, let isNew, let isMetered):
            var writer = MessageWriter(tag: Tag.opened.rawValue)
            writer.put(facts)
            writer.put(path.bytes)
            writer.put(isNew)
            writer.put(isMetered)
            return writer.bytes
        case .storage(let report):
            var writer = MessageWriter(tag: Tag.storage.rawValue)
            writer.put(report)
            return writer.bytes
        case .entries(let entries):
            var writer = MessageWriter(tag: Tag.entries.rawValue)
            let hasPermissions = entries.first?.permissions != nil
            writer.put(UInt16(clamping: entries.count))
            writer.put(hasPermissions)
            for entry in entries {
                writer.put(entry.facts)
                writer.put(entry.name)
                writer.put(entry.target != nil)
                if let target = entry.target { writer.put(target) }
                if hasPermissions { writer.put(entry.permissions?.rawValue ?? 0) }
            }
            return writer.bytes
        case .byteCount(let count):
            var writer = MessageWriter(tag: Tag.byteCount.rawValue)
            writer.put(count)
            return writer.bytes
        case .text(let text):
            var writer = MessageWriter(tag: Tag.text.rawValue)
            writer.put(text)
            return writer.bytes
        }
    }

    /// Reads one whole message.
    init(decoding message: [UInt8]) throws(MessageError) {
        var reader = try MessageReader(message)
        guard let tag = Tag(rawValue: reader.tag) else { throw .unknownTag(reader.tag) }
        switch tag {
        case .done: self = .done
        case .failed:
            guard let error = FileError(rawValue: try reader.take()) else { throw .invalidValue }
            self = .failed(error)
        case .facts: self = .facts(try reader.takeFacts())
        case .opened:
            let facts = try reader.takeFacts()
            let path = try reader.takePath()
            let isNew = try reader.takeBool()
            self = .opened(facts, path, isNew: isNew, isMetered: try reader.takeBool())
        case .storage: self = .storage(try reader.takeReport())
        case .entries:
            let count = Int(try reader.take(UInt16.self))
            guard count <= Self.maximumEntryCount else { throw .tooLong(byteCount: count) }
            let hasPermissions = try reader.takeBool()
            var entries: [DirectoryEntry] = []
            entries.reserveCapacity(count)
            for _ in 0..<count {
                let facts = try reader.takeFacts()
                let name = try reader.takeBytes(maximum: Self.maximumNameByteCount)
                let hasTarget = try reader.takeBool()
                let target = hasTarget ? try reader.takeBytes(maximum: 4_096) : nil
                let permissions =
                    hasPermissions ? Permissions(rawValue: try reader.take()) : nil
                entries.append(
                    DirectoryEntry(
                        name: name,
                        facts: facts,
                        target: target,
                        permissions: permissions
                    )
                )
            }
            self = .entries(entries)
        case .byteCount:
            let count = try reader.take(Int64.self)
            guard count >= 0 else { throw .invalidValue }
            self = .byteCount(count)
        case .text:
            self = .text(try reader.takeBytes(maximum: DirectoryMessage.maximumByteCount))
        }
        try reader.finish()
    }
}

extension MessageWriter {
    fileprivate mutating func put(_ facts: FileFacts) {
        put(facts.kind.rawValue)
        put(facts.mode)
        put(facts.linkCount)
        put(facts.owner)
        put(facts.group)
        put(facts.size)
        put(facts.modified)
        put(facts.device)
        put(facts.inode)
    }
}

extension MessageReader {
    fileprivate mutating func takeFacts() throws(MessageError) -> FileFacts {
        guard let kind = FileFacts.Kind(rawValue: try take()) else { throw .invalidValue }
        return FileFacts(
            kind: kind,
            mode: try take(),
            linkCount: try take(),
            owner: try take(),
            group: try take(),
            size: try take(),
            modified: try take(),
            device: try take(),
            inode: try take()
        )
    }
}

extension MessageWriter {
    fileprivate mutating func put(_ report: StorageReport) {
        put(report.limits.fileSize)
        put(report.limits.freeSpace)
        put(report.limits.bytes)
        put(report.limits.files)
        put(report.usedBytes)
        put(report.usedFiles)
    }
}

extension MessageReader {
    fileprivate mutating func takeReport() throws(MessageError) -> StorageReport {
        var limits = StorageLimits()
        limits.fileSize = try take()
        limits.freeSpace = try take()
        limits.bytes = try take()
        limits.files = try take()
        return StorageReport(limits: limits, usedBytes: try take(), usedFiles: try take())
    }
}
