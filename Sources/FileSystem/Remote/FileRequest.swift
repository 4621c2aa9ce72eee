internal import FTPProtocol
internal import LinuxSystem

/// What a Session asks of the process that opens files.
enum FileRequest: Hashable {
    case enterDirectory(VirtualPath)
    case facts(VirtualPath, FactsPurpose)
    case openForReading(VirtualPath)
    case openForWriting(VirtualPath, WriteDisposition)
    case makeDirectory(VirtualPath)
    case removeDirectory(VirtualPath)
    case removeFile(VirtualPath)
    case discardUpload
    case commitUpload
    case emptyUpload
    case extendUpload(Int64)
    case storageReport
    case rename(VirtualPath, VirtualPath)
    case setModificationTime(VirtualPath, Int64)
    case setMode(VirtualPath, UInt16)
    case beginListing(VirtualPath, ListingQuery)
    case nextEntries
    case setGroup(VirtualPath, UInt32)
    case makeSymbolicLink(VirtualPath, VirtualPath)
    case setFileModeMask(UInt16)
    case availableByteCount(VirtualPath)
    case message(VirtualPath)

    /// The longest path in a message, which ``VirtualPath`` allows.
    static let maximumPathByteCount = 4_096

    private enum Tag: UInt8 {
        case enterDirectory = 1
        case facts
        case openForReading
        case openForWriting
        case makeDirectory
        case removeDirectory
        case removeFile
        case discardUpload
        case rename
        case setModificationTime
        case setMode
        case beginListing
        case nextEntries
        case setGroup
        case makeSymbolicLink
        case setFileModeMask
        case availableByteCount
        case commitUpload
        case extendUpload
        case storageReport
        case message
        case emptyUpload
    }

    private var tag: Tag {
        switch self {
        case .enterDirectory: .enterDirectory
        case .facts: .facts
        case .openForReading: .openForReading
        case .openForWriting: .openForWriting
        case .makeDirectory: .makeDirectory
        case .removeDirectory: .removeDirectory
        case .removeFile: .removeFile
        case .discardUpload: .discardUpload
        case .commitUpload: .commitUpload
        case .emptyUpload: .emptyUpload
        case .extendUpload: .extendUpload
        case .storageReport: .storageReport
        case .rename: .rename
        case .setModificationTime: .setModificationTime
        case .setMode: .setMode
        case .beginListing: .beginListing
        case .nextEntries: .nextEntries
        case .setGroup: .setGroup
        case .makeSymbolicLink: .makeSymbolicLink
        case .setFileModeMask: .setFileModeMask
        case .availableByteCount: .availableByteCount
        case .message: .message
        }
    }

    /// The message.
    var encoded: [UInt8] {
        var writer = MessageWriter(tag: tag.rawValue)
        switch self {
        case .enterDirectory(let path), .openForReading(let path), .makeDirectory(let path),
            .removeDirectory(let path), .removeFile(let path),
            .availableByteCount(let path), .message(let path):
            writer.put(path.bytes)
        case .facts(let path, let purpose):
            writer.put(path.bytes)
            writer.put(purpose.rawValue)
        case .openForWriting(let path, let disposition):
            writer.put(path.bytes)
            switch disposition {
            case .replace: writer.put(UInt8(0))
            case .append: writer.put(UInt8(1))
            case .unique: writer.put(UInt8(2))
            case .resume(let offset):
                writer.put(UInt8(3))
                writer.put(offset)
            case .create: writer.put(UInt8(4))
            }
        case .rename(let path, let newPath), .makeSymbolicLink(let path, let newPath):
            writer.put(path.bytes)
            writer.put(newPath.bytes)
        case .setModificationTime(let path, let seconds):
            writer.put(path.bytes)
            writer.put(seconds)
        case .setMode(let path, let mode):
            writer.put(path.bytes)
            writer.put(mode)
        case .setGroup(let path, let group):
            writer.put(path.bytes)
            writer.put(group)
        case .setFileModeMask(let mask):
            writer.put(mask)
        case .beginListing(let path, let query):
            writer.put(path.bytes)
            writer.put(query.options.rawValue)
            writer.put(query.pattern != nil)
            if let pattern = query.pattern { writer.put(pattern) }
        case .extendUpload(let byteCount): writer.put(byteCount)
        case .nextEntries, .commitUpload, .discardUpload, .emptyUpload, .storageReport:
            break
        }
        return writer.bytes
    }

    /// Reads one whole message.
    ///
    /// Treats every byte as hostile: the sender may be a Session that somebody else now controls.
    init(decoding message: [UInt8]) throws(MessageError) {
        var reader = try MessageReader(message)
        guard let tag = Tag(rawValue: reader.tag) else { throw .unknownTag(reader.tag) }
        switch tag {
        case .enterDirectory: self = .enterDirectory(try reader.takePath())
        case .openForReading: self = .openForReading(try reader.takePath())
        case .makeDirectory: self = .makeDirectory(try reader.takePath())
        case .removeDirectory: self = .removeDirectory(try reader.takePath())
        case .removeFile: self = .removeFile(try reader.takePath())
        case .discardUpload: self = .discardUpload
        case .commitUpload: self = .commitUpload
        case .emptyUpload: self = .emptyUpload
        case .storageReport: self = .storageReport
        case .extendUpload:
            let byteCount = try reader.take(Int64.self)
            guard byteCount > 0 else { throw .invalidValue }
            self = .extendUpload(byteCount)
        case .facts:
            let path = try reader.takePath()
            guard let purpose = FactsPurpose(rawValue: try reader.take()) else {
                throw .invalidValue
            }
            self = .facts(path, purpose)
        case .openForWriting:
            let path = try reader.takePath()
            self = .openForWriting(path, try reader.takeDisposition())
        case .rename:
            let path = try reader.takePath()
            self = .rename(path, try reader.takePath())
        case .setModificationTime:
            let path = try reader.takePath()
            self = .setModificationTime(path, try reader.take())
        case .setMode:
            let path = try reader.takePath()
            let mode = try reader.take(UInt16.self)
            guard mode <= 0o7777 else { throw .invalidValue }
            self = .setMode(path, mode)
        case .beginListing:
            let path = try reader.takePath()
            let options = ListingOptions(rawValue: try reader.take())
            guard options.isKnown else { throw .invalidValue }
            let pattern =
                try reader.takeBool()
                ? try reader.takeBytes(maximum: GlobPattern.maximumByteCount) : nil
            self = .beginListing(path, ListingQuery(options, matching: pattern))
        case .nextEntries: self = .nextEntries
        case .setGroup:
            let path = try reader.takePath()
            let group = try reader.take(UInt32.self)
            // chown(2) takes it for "leave as it is".
            guard group != .max else { throw .invalidValue }
            self = .setGroup(path, group)
        case .makeSymbolicLink:
            let path = try reader.takePath()
            self = .makeSymbolicLink(path, try reader.takePath())
        case .setFileModeMask:
            let mask = try reader.take(UInt16.self)
            guard mask <= 0o777 else { throw .invalidValue }
            self = .setFileModeMask(mask)
        case .message: self = .message(try reader.takePath())
        case .availableByteCount: self = .availableByteCount(try reader.takePath())
        }
        try reader.finish()
    }
}

extension MessageReader {
    /// Takes a path, which must be absolute and normalised.
    mutating func takePath() throws(MessageError) -> VirtualPath {
        let bytes = try takeBytes(maximum: FileRequest.maximumPathByteCount)
        guard let path = VirtualPath(bytes: bytes) else { throw .invalidValue }
        return path
    }

    fileprivate mutating func takeDisposition() throws(MessageError) -> WriteDisposition {
        switch try take(UInt8.self) {
        case 0: return .replace
        case 1: return .append
        case 2: return .unique
        case 3:
            let offset = try take(Int64.self)
            guard offset >= 0 else { throw .invalidValue }
            return .resume(offset: offset)
        case 4: return .create
        default: throw .invalidValue
        }
    }
}
