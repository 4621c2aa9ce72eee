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
    case entries(EntryPiece)
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
            writer.put(UInt16(clamping: entries.count))
            writer.put(entries.hasPermissions)
            writer.append(entries.encoded)
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
            guard count <= EntryPiece.maximumCount else { throw .tooLong(byteCount: count) }
            let hasPermissions = try reader.takeBool()
            let entries = try EntryPiece(
                decoding: message,
                from: message.count - reader.remaining,
                count: count,
                hasPermissions: hasPermissions
            )
            self = .entries(entries)
            return
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
        var bytes: [UInt8] = []
        bytes.append(addingCapacity: FactsForm.byteCount) { FactsForm.append(facts, to: &$0) }
        append(bytes[...])
    }
}

extension MessageReader {
    fileprivate mutating func takeFacts() throws(MessageError) -> FileFacts {
        let bytes = try takeBytes(count: FactsForm.byteCount)
        guard FactsForm.isValid(at: 0, in: bytes) else { throw .invalidValue }
        return FactsForm.facts(at: 0, in: bytes)
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
