package import FTPProtocol

/// What a listing is to show, and in which order.
package struct ListingQuery: Hashable, Sendable {
    /// How entries are to be listed.
    package var options: ListingOptions

    /// What the names of a directory's entries have to be like; `nil` for all of them.
    package var pattern: [UInt8]?

    /// Describes a listing.
    package init(_ options: ListingOptions, matching pattern: [UInt8]? = nil) {
        self.options = options
        self.pattern = pattern
    }
}

/// How entries are to be listed.
package struct ListingOptions: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Sorted by the bytes of the name, as far as the directory is not huge.
    package static let sorted = ListingOptions(rawValue: 1 << 0)
    /// Names that begin with a dot as well.
    package static let hidden = ListingOptions(rawValue: 1 << 1)
    /// `.` and `..` as well.
    package static let dots = ListingOptions(rawValue: 1 << 2)
    /// The facts of what a symbolic link leads to, where it leads to something.
    package static let followsLinks = ListingOptions(rawValue: 1 << 3)
    /// Names alone; the facts are not looked up.
    package static let namesOnly = ListingOptions(rawValue: 1 << 4)
    /// A directory itself, not what it holds.
    package static let directoryItself = ListingOptions(rawValue: 1 << 5)
    /// With ``sorted``: the newest first.
    package static let byTime = ListingOptions(rawValue: 1 << 6)
    /// With ``sorted``: the largest first.
    package static let bySize = ListingOptions(rawValue: 1 << 7)
    /// With ``sorted``: the other way round.
    package static let reversed = ListingOptions(rawValue: 1 << 8)
    /// The path itself must be no symbolic link.
    package static let refusesLink = ListingOptions(rawValue: 1 << 9)
    /// What the user may do with each entry as well, where that differs from place to place.
    package static let permissions = ListingOptions(rawValue: 1 << 10)

    /// Whether no unknown bit is set.
    var isKnown: Bool { rawValue < 1 << 11 }
}

extension FileSystem {
    /// Begins a listing of every entry.
    @discardableResult
    package func beginListing(
        of path: VirtualPath,
        _ options: ListingOptions
    ) throws(FileError) -> FileFacts {
        try beginListing(of: path, ListingQuery(options))
    }
}
