internal import FTPProtocol

/// What is known about a file or directory.
public struct FTPFileInfo: Hashable, Sendable {
    /// Kinds of object.
    public enum Kind: Sendable, Hashable {
        /// A file with content.
        case file
        /// A directory.
        case directory
        /// A symbolic link.
        case link
        /// A device, socket or FIFO, which is shown and never opened.
        case other
    }

    /// The kind.
    public var kind: Kind
    /// The size in bytes.
    public var size: Int64
    /// When the content last changed, in seconds since 1970 UTC.
    public var modified: Int64
    /// The permission bits, such as 0o644.
    public var mode: UInt16
    /// The owner's number.
    public var owner: UInt32 = 0
    /// The group's number.
    public var group: UInt32 = 0
    /// A number that no other object of the same file system has (RFC 3659 section 7.5.2).
    public var identifier: UInt64 = 0

    private var exactKind: FileFacts.Kind?
    private var device: UInt64 = 0
    private var linkCount: UInt32 = 1

    /// Describes an object.
    public init(_ kind: Kind, size: Int64 = 0, modified: Int64 = 0, mode: UInt16? = nil) {
        self.kind = kind
        self.size = size
        self.modified = modified
        self.mode = mode ?? (kind == .directory ? 0o755 : 0o644)
    }

    init(_ facts: FileFacts) {
        let kind: Kind =
            switch facts.kind {
            case .regular: .file
            case .directory: .directory
            case .symbolicLink: .link
            case .fifo, .socket, .characterDevice, .blockDevice: .other
            }
        self.init(kind, size: facts.size, modified: facts.modified, mode: facts.mode)
        owner = facts.owner
        group = facts.group
        identifier = facts.inode
        exactKind = facts.kind
        device = facts.device
        linkCount = facts.linkCount
    }

    var facts: FileFacts {
        let plain: FileFacts.Kind =
            switch kind {
            case .file: .regular
            case .directory: .directory
            case .link: .symbolicLink
            case .other: exactKind ?? .fifo
            }
        return FileFacts(
            kind: plain,
            mode: mode,
            linkCount: linkCount,
            owner: owner,
            group: group,
            size: size,
            modified: modified,
            device: device,
            inode: identifier
        )
    }
}

/// One entry of a directory.
public struct FTPFileEntry: Hashable, Sendable {
    /// The name, byte for byte.
    public var name: [UInt8]
    /// What is known about it.
    public var info: FTPFileInfo
    /// Where a symbolic link leads, as listings show it; `nil` has ``AbstractedFS/readLink(_:)`` asked.
    public var target: [UInt8]?

    /// What the user may do with it, where that differs from place to place.
    var permissions: Permissions?
    /// Whether a sign for its kind was asked for (`ls -F`).
    var isClassified = false

    /// Describes an entry.
    public init(_ name: String, _ info: FTPFileInfo) {
        self.init(bytes: Array(name.utf8), info)
    }

    /// Describes an entry whose name need not be UTF-8.
    public init(bytes name: [UInt8], _ info: FTPFileInfo) {
        self.name = name
        self.info = info
    }

    init(_ entry: EntryView, isClassified: Bool = false) {
        self.init(bytes: Array(entry.name), FTPFileInfo(entry.facts))
        target = entry.target.map { Array($0) }
        permissions = entry.permissions
        self.isClassified = isClassified
    }

    var view: EntryView {
        EntryView(
            name: name[...],
            facts: info.facts,
            target: target.map { $0[...] },
            permissions: permissions
        )
    }
}
