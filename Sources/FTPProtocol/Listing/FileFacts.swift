/// What a listing tells about one object.
package struct FileFacts: Hashable, Sendable {
    /// The kinds of object.
    package enum Kind: UInt8, CaseIterable, Hashable, Sendable {
        /// A file with content.
        case regular = 0
        /// A directory.
        case directory
        /// A symbolic link.
        case symbolicLink
        /// A named pipe.
        case fifo
        /// A Unix socket.
        case socket
        /// A character device.
        case characterDevice
        /// A block device.
        case blockDevice
    }

    /// The kind.
    package var kind: Kind
    /// The permission bits, set-user-id, set-group-id and sticky included.
    package var mode: UInt16
    /// The number of hard links.
    package var linkCount: UInt32
    /// The owner's number.
    package var owner: UInt32
    /// The group's number.
    package var group: UInt32
    /// The size in bytes.
    package var size: Int64
    /// When the content last changed, in seconds since 1970 UTC.
    package var modified: Int64
    /// The device that holds the object.
    package var device: UInt64
    /// The object's number on that device.
    package var inode: UInt64

    /// Creates facts.
    package init(
        kind: Kind,
        mode: UInt16,
        linkCount: UInt32,
        owner: UInt32,
        group: UInt32,
        size: Int64,
        modified: Int64,
        device: UInt64,
        inode: UInt64
    ) {
        self.kind = kind
        self.mode = mode
        self.linkCount = linkCount
        self.owner = owner
        self.group = group
        self.size = size
        self.modified = modified
        self.device = device
        self.inode = inode
    }

    /// What `ls -F` shows behind the name; nothing for a plain file.
    package var sign: UInt8? {
        switch kind {
        case .directory: UInt8(ascii: "/")
        case .symbolicLink: UInt8(ascii: "@")
        case .fifo: UInt8(ascii: "|")
        case .socket: UInt8(ascii: "=")
        case .regular where mode & 0o111 != 0: UInt8(ascii: "*")
        case .regular, .characterDevice, .blockDevice: nil
        }
    }
}

/// One line of a listing.
package struct DirectoryEntry: Hashable, Sendable {
    /// The name, in whatever bytes the file system holds.
    package var name: [UInt8]
    /// The facts of the object itself, not of what a link points to.
    package var facts: FileFacts
    /// What a symbolic link points to.
    package var target: [UInt8]?
    /// What the user may do with it, where that differs from place to place.
    package var permissions: Permissions?

    /// Creates an entry.
    package init(
        name: [UInt8],
        facts: FileFacts,
        target: [UInt8]? = nil,
        permissions: Permissions? = nil
    ) {
        self.name = name
        self.facts = facts
        self.target = target
        self.permissions = permissions
    }

    /// Copies an entry out of the memory that it lies in.
    package init(_ view: EntryView) {
        name = Array(view.name)
        facts = view.facts
        target = view.target.map { Array($0) }
        permissions = view.permissions
    }

    /// The entry as formatters take it.
    package var view: EntryView {
        EntryView(
            name: name[...],
            facts: facts,
            target: target.map { $0[...] },
            permissions: permissions
        )
    }
}

/// One line of a listing whose bytes lie in memory that many entries share.
///
/// To be looked at and let go: it keeps all of that memory.
package struct EntryView: Hashable, Sendable {
    /// The name, in whatever bytes the file system holds.
    package let name: ArraySlice<UInt8>
    /// The facts of the object itself, not of what a link points to.
    package let facts: FileFacts
    /// What a symbolic link points to.
    package let target: ArraySlice<UInt8>?
    /// What the user may do with it, where that differs from place to place.
    package let permissions: Permissions?

    /// Describes an entry.
    package init(
        name: ArraySlice<UInt8>,
        facts: FileFacts,
        target: ArraySlice<UInt8>?,
        permissions: Permissions?
    ) {
        self.name = name
        self.facts = facts
        self.target = target
        self.permissions = permissions
    }
}
