package import FTPProtocol
internal import LinuxSystem

/// A listing of a directory and of the directories beneath it, one after the other, as `ls -R`
/// shows them.
///
/// Works through the operations of a ``FileSystem``, so every directory is asked for with the
/// rights that the user has there. Symbolic links are not followed. Directories that wait stand in
/// a list, not on the stack, and everything is bounded (CVE-2019-20176).
package final class RecursiveListing {
    /// How much one listing may show.
    package struct Limits: Sendable {
        /// Directories beneath one another.
        package var depth = 16
        /// Entries of all directories together.
        package var entries = 100_000
        /// Directories that are listed or wait to be.
        package var directories = 10_000
        /// Bytes of the names of directories that wait.
        package var waitingByteCount = 4_194_304
        /// How long it may take.
        package var duration: Duration = .seconds(60)

        /// The limits for a client.
        package init() {}
    }

    /// Why something was left out.
    package enum Cut: Hashable, Sendable {
        /// Directories deeper than this were not listed.
        case depth(Int)
        /// After this many entries it ended.
        case entries(Int)
        /// More directories than this were there, or their names were too long to keep.
        case directories(Int)
        /// After this time it ended.
        case time(Duration)
    }

    /// What comes next.
    package enum Piece: Hashable, Sendable {
        /// The entries of this directory follow; relative to where the listing began, and nothing
        /// for that place itself.
        case directory([UInt8])
        /// Some entries of that directory.
        case entries([EntryView])
    }

    private struct Waiting {
        let path: VirtualPath
        let relative: [UInt8]
        let depth: Int
    }

    /// The first limit that was met.
    package private(set) var cut: Cut?

    private let fileSystem: any FileSystem
    private let options: ListingOptions
    private let limits: Limits
    private let deadline: Deadline
    private var current: Waiting?
    private var hasBegun = false
    private var found: [Waiting] = []
    private var waiting: [Waiting] = []
    private var waitingByteCount = 0
    private var directoryCount = 1
    private var entryCount = 0

    /// Goes on with the listing of `path` that `fileSystem` has just begun with `options`.
    package init(
        _ fileSystem: any FileSystem,
        of path: VirtualPath,
        _ options: ListingOptions,
        limits: Limits = Limits()
    ) {
        self.fileSystem = fileSystem
        self.options = options
        self.limits = limits
        deadline = Deadline(after: limits.duration)
        current = Waiting(path: path, relative: [], depth: 1)
    }

    /// The next piece, `nil` at the end.
    package func next() throws(FileError) -> Piece? {
        while true {
            if deadline.hasPassed {
                note(.time(limits.duration))
                return nil
            }
            guard let directory = current else {
                guard try beginNext() else { return nil }
                continue
            }
            guard hasBegun else {
                hasBegun = true
                return .directory(directory.relative)
            }
            let entries = try fileSystem.nextEntries()
            if entries.isEmpty {
                // The last one is listed next.
                waiting.append(contentsOf: found.reversed())
                found = []
                current = nil
                continue
            }
            guard entryCount < limits.entries else {
                note(.entries(limits.entries))
                return nil
            }
            let shown = Array(entries.prefix(limits.entries - entryCount))
            entryCount += shown.count
            for entry in shown { note(entry, in: directory) }
            return .entries(shown)
        }
    }

    /// Begins the listing of the next directory that lets itself be listed.
    private func beginNext() throws(FileError) -> Bool {
        guard let directory = waiting.popLast() else { return false }
        waitingByteCount -= directory.path.bytes.count + directory.relative.count
        do throws(FileError) {
            try fileSystem.beginListing(of: directory.path, options.union(.refusesLink))
            current = directory
            hasBegun = false
        } catch {
            // Closed to this user, or gone meanwhile.
            if error == .unavailable { throw error }
        }
        return true
    }

    private func note(_ entry: EntryView, in directory: Waiting) {
        let dot = UInt8(ascii: ".")
        guard entry.facts.kind == .directory, entry.name != [dot], entry.name != [dot, dot],
            let path = directory.path.appending(component: Array(entry.name))
        else { return }
        guard directory.depth < limits.depth else {
            note(.depth(limits.depth))
            return
        }
        let relative =
            directory.relative.isEmpty
            ? Array(entry.name) : directory.relative + [UInt8(ascii: "/")] + entry.name
        let byteCount = path.bytes.count + relative.count
        guard directoryCount < limits.directories,
            waitingByteCount + byteCount <= limits.waitingByteCount
        else {
            note(.directories(limits.directories))
            return
        }
        directoryCount += 1
        waitingByteCount += byteCount
        found.append(Waiting(path: path, relative: relative, depth: directory.depth + 1))
    }

    private func note(_ cut: Cut) {
        if self.cut == nil { self.cut = cut }
    }
}
