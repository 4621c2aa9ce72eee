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
}

extension [UInt8] {
    /// Appends a line of NLST: a name, and for `ls -F` the sign of its kind.
    package mutating func appendNameLine(_ name: [UInt8], sign: UInt8? = nil) {
        append(name: name)
        if let sign { append(sign) }
        append(.carriageReturn)
        append(.lineFeed)
    }

    /// Appends a name in which a line end cannot be mistaken for the end of the entry.
    mutating func append(name: [UInt8]) {
        guard name.contains(where: { $0 == 0 || $0 == .carriageReturn || $0 == .lineFeed }) else {
            append(contentsOf: name)
            return
        }
        for byte in name {
            let isForbidden = byte == 0 || byte == .carriageReturn || byte == .lineFeed
            append(isForbidden ? UInt8(ascii: "?") : byte)
        }
    }
}
