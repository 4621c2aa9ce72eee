internal import FTPProtocol
internal import FileSystem

/// What LIST, NLST or STAT asks for: flags as for ls(1), then a path or a pattern.
struct ListingWish {
    let flags: ListArguments.Flags

    /// The path as the client wrote it; nothing for the working directory.
    let written: [UInt8]

    /// The path, the last name of which may be a pattern.
    let path: VirtualPath

    /// How the Agent is to list it; hidden names may come unasked (`force_dot_files`).
    func options(showsDotFiles: Bool) -> ListingOptions {
        var options: ListingOptions = .sorted
        if flags.contains(.all) || flags.contains(.almostAll) || showsDotFiles {
            options.insert(.hidden)
        }
        if flags.contains(.directory) { options.insert(.directoryItself) }
        // As in vsftpd, the time decides where both are given.
        if flags.contains(.time) {
            options.insert(.byTime)
        } else if flags.contains(.size) {
            options.insert(.bySize)
        }
        if flags.contains(.reverse) { options.insert(.reversed) }
        return options
    }
}

/// A listing that the Agent has begun.
struct BegunListing {
    /// The directory, or the one object, that is listed.
    let path: VirtualPath

    /// Its facts.
    let facts: FileFacts

    /// Whether the last name that the client wrote turned out to be a pattern.
    let isMatch: Bool

    /// Whether entries are those of a directory.
    let isDirectory: Bool

    /// Where the entries are.
    var place: VirtualPath { isDirectory ? path : path.parent }

    /// What stands before each name in NLST, so that the client can ask for it by what it gets:
    /// the directory as it was written, as in vsftpd.
    func prefix(_ written: [UInt8]) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        var prefix = written
        if isMatch || !isDirectory {
            while prefix.count > 1, prefix.last == slash { prefix.removeLast() }
            return Array(prefix.prefix((prefix.lastIndex(of: slash) ?? -1) + 1))
        }
        if prefix.isEmpty || prefix == [UInt8(ascii: ".")] { return [] }
        if prefix.last != slash { prefix.append(slash) }
        return prefix
    }
}
