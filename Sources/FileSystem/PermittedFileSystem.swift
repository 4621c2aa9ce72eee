package import FTPProtocol

/// A file system behind permission letters and rules for places.
///
/// Runs in the process that opens files, so a Session that somebody else controls cannot get past
/// it. The letters and what they stand for are pyftpdlib's.
package final class PermittedFileSystem: FileSystem {
    let base: any FileSystem
    private(set) var rules: FileRules
    /// Only where rules differ from place to place; nothing else pays for it.
    private let resolver: (any PathResolver)?
    private var listing: PermittedListing?

    /// Puts `rules` before `base`, which is reached once they allow it.
    ///
    /// Rules for places need a `resolver`, and a base that refuses paths with symbolic links.
    /// Without one nothing is allowed.
    package init(
        _ base: any FileSystem,
        rules: FileRules,
        resolver: (any PathResolver)? = nil
    ) {
        self.base = base
        self.rules = rules
        self.resolver = rules.places.isEmpty ? nil : resolver
        if !rules.places.isEmpty, resolver == nil { self.rules.permissions = [] }
        for index in rules.places.overrides.indices {
            // A directory may be named by a link to it, and paths are compared without links.
            let directory = rules.places.overrides[index].directory
            guard let place = try? resolver?.resolve(directory, followsLastLink: true) else {
                continue
            }
            self.rules.places.overrides[index].directory = place.path
        }
    }

    package func hostPath(of path: VirtualPath) -> HostPath { base.hostPath(of: path) }

    private func require(_ permission: Permissions) throws(FileError) {
        guard rules.permissions.isSuperset(of: permission) else { throw .notPermitted }
    }

    /// Checks that `permission` holds at `path`.
    ///
    /// - Returns: The path to work on: the same, or the one without symbolic links that was checked.
    func allow(
        _ permission: Permissions,
        at path: VirtualPath,
        followsLastLink: Bool = true
    ) throws(FileError) -> VirtualPath {
        guard let resolver else {
            try require(permission)
            return path
        }
        return try allow(permission, at: path, resolver, followsLastLink: followsLastLink).path
    }

    private func allow(
        _ permission: Permissions,
        at path: VirtualPath,
        _ resolver: any PathResolver,
        followsLastLink: Bool
    ) throws(FileError) -> ResolvedPath {
        // What it is called counts as well as what it leads to.
        guard !rules.places.denies(path) else { throw .notPermitted }
        let place: ResolvedPath
        do throws(FileError) {
            place = try resolver.resolve(path, followsLastLink: followsLastLink)
        } catch {
            // Who may not do it anyway learns nothing about what is there.
            let permissions = permissions(at: path, isDirectory: false)
            guard permissions.isSuperset(of: permission) else { throw .notPermitted }
            throw error
        }
        let permissions = permissions(at: place.path, isDirectory: place.kind == .directory)
        guard permissions.isSuperset(of: permission) else { throw .notPermitted }
        return place
    }

    /// What may be done at a path without symbolic links.
    func permissions(at path: VirtualPath, isDirectory: Bool) -> Permissions {
        rules.places.permissions(
            at: path,
            isDirectory: isDirectory,
            otherwise: rules.permissions
        )
    }

    package func enterDirectory(_ path: VirtualPath) throws(FileError) {
        try base.enterDirectory(try allow(.enterDirectory, at: path))
    }

    package func facts(
        of path: VirtualPath,
        for purpose: FactsPurpose
    ) throws(FileError) -> FileFacts {
        let place =
            switch purpose {
            case .showing: try allow(.list, at: path)
            case .renaming: try allow(.rename, at: path, followsLastLink: false)
            }
        return try base.facts(of: place, for: purpose)
    }

    package func openForReading(_ path: VirtualPath) throws(FileError) -> OpenedFile {
        let file = try base.openForReading(try allow(.retrieve, at: path))
        guard !rules.worldReadableOnly || file.facts.mode & 0o004 != 0 else {
            throw .notPermitted
        }
        return file
    }

    package func openForWriting(
        _ path: VirtualPath,
        _ disposition: WriteDisposition
    ) throws(FileError) -> OpenedFile {
        var disposition = disposition
        let permission: Permissions = disposition == .append ? .append : .store
        if !rules.allowsOverwriting, disposition != .unique {
            if case .resume(let offset) = disposition, offset > 0 {
                // As a new file it would hold the tail alone, and be told whole.
                throw try refusalToResume(path)
            }
            disposition = .create
        }
        if disposition == .unique, resolver != nil { return try openUnique(path) }
        // A link that has the name is a name that is taken.
        let isNew = disposition == .unique || disposition == .create
        let place = try allow(permission, at: path, followsLastLink: !isNew)
        return try base.openForWriting(place, disposition)
    }

    /// Opens a file under a name that nobody has, and that the rules for places allow as well as the
    /// one it is made of.
    private func openUnique(_ path: VirtualPath) throws(FileError) -> OpenedFile {
        _ = try allow(.store, at: path, followsLastLink: false)
        var problem = FileError.exists
        for _ in 0..<16 {
            let candidate = try path.madeUnique()
            do throws(FileError) {
                let place = try allow(.store, at: candidate, followsLastLink: false)
                return try base.openForWriting(place, .create)
            } catch {
                guard error == .exists || error == .notPermitted else { throw error }
                problem = error
            }
        }
        throw problem
    }

    /// Why nothing goes on in `path`, where files that exist may not be written to.
    private func refusalToResume(_ path: VirtualPath) throws(FileError) -> FileError {
        let place = try allow(.store, at: path, followsLastLink: false)
        do throws(FileError) {
            _ = try base.facts(of: place, for: .renaming)
            return .notPermitted
        } catch {
            return error == .notFound ? .beyondEnd : error
        }
    }

    package func makeDirectory(_ path: VirtualPath) throws(FileError) {
        try base.makeDirectory(try allow(.makeDirectory, at: path, followsLastLink: false))
    }

    package func removeDirectory(_ path: VirtualPath) throws(FileError) {
        try base.removeDirectory(try allow(.delete, at: path, followsLastLink: false))
    }

    package func removeFile(_ path: VirtualPath) throws(FileError) {
        try base.removeFile(try allow(.delete, at: path, followsLastLink: false))
    }

    package func emptyUpload() throws(FileError) {
        // What may be written was decided when the upload began.
        try base.emptyUpload()
    }

    package func commitUpload() throws(FileError) {
        // What may be written was decided when the upload began.
        try base.commitUpload()
    }

    package func discardUpload() {
        base.discardUpload()
    }

    package func extendUpload(by byteCount: Int64) throws(FileError) -> Int64 {
        try base.extendUpload(by: byteCount)
    }

    package func storageReport() throws(FileError) -> StorageReport {
        try base.storageReport()
    }

    package func rename(_ path: VirtualPath, to newPath: VirtualPath) throws(FileError) {
        var (from, to) = (path, newPath)
        if let resolver {
            (from, to) = try allowRename(path, to: newPath, resolver)
        } else {
            try require(.rename)
        }
        guard rules.allowsOverwriting else {
            try base.rename(from, toFree: to)
            return
        }
        try base.rename(from, to: to)
    }

    private func allowRename(
        _ path: VirtualPath,
        to newPath: VirtualPath,
        _ resolver: any PathResolver
    ) throws(FileError) -> (VirtualPath, VirtualPath) {
        let source = try allow(.rename, at: path, resolver, followsLastLink: false)
        let target = try allow(.rename, at: newPath, resolver, followsLastLink: false)
        let isAllowed =
            if source.kind == .directory {
                // What lies in it would come to other rules, and what lay in the other one, too.
                !rules.places.pins(source.path) && !rules.places.pins(target.path)
            } else {
                rules.places.allowsRename(of: source.path, to: target.path)
            }
        guard isAllowed else { throw .notPermitted }
        return (source.path, target.path)
    }

    package func setModificationTime(
        of path: VirtualPath,
        to seconds: Int64
    ) throws(FileError) {
        try base.setModificationTime(of: try allow(.changeTime, at: path), to: seconds)
    }

    package func setMode(of path: VirtualPath, to mode: UInt16) throws(FileError) {
        try base.setMode(of: try allow(.changeMode, at: path), to: mode)
    }

    package func setGroup(of path: VirtualPath, to group: UInt32) throws(FileError) {
        try base.setGroup(of: try allow(.changeMode, at: path), to: group)
    }

    package func makeSymbolicLink(
        _ path: VirtualPath,
        to target: VirtualPath
    ) throws(FileError) {
        try base.makeSymbolicLink(
            try allow(.store, at: path, followsLastLink: false),
            to: target
        )
    }

    package func setFileModeMask(_ mask: UInt16) throws(FileError) {
        try require(.changeMode)
        try base.setFileModeMask(mask)
    }

    package func availableByteCount(in path: VirtualPath) throws(FileError) -> Int64 {
        try base.availableByteCount(in: try allow(.store, at: path))
    }

    @discardableResult
    package func beginListing(
        of path: VirtualPath,
        _ query: ListingQuery
    ) throws(FileError) -> FileFacts {
        let options = query.options
        listing = nil
        let place = try allow(
            .list,
            at: path,
            followsLastLink: !options.contains(.refusesLink)
        )
        guard rules.allowsListing || options.contains(.directoryItself) else {
            throw .notPermitted
        }
        var query = query
        // What a link leads to is looked at here, by the rules of where that is.
        if resolver != nil { query.options.remove(.followsLinks) }
        let facts = try base.beginListing(of: place, query)
        if resolver != nil {
            listing = PermittedListing(
                path: place,
                isDirectory: facts.kind == .directory && !options.contains(.directoryItself),
                showsPermissions: options.contains(.permissions),
                followsLinks: options.contains(.followsLinks)
            )
        }
        return facts
    }

    package func nextEntries() throws(FileError) -> EntryPiece {
        guard let listing else { return try base.nextEntries() }
        while true {
            let entries = try base.nextEntries()
            var piece = EntryPiece(hasPermissions: listing.showsPermissions)
            for entry in entries {
                if let entry = shown(entry, in: listing) { piece.append(entry) }
            }
            // None would mean that this was all.
            if entries.isEmpty || !piece.isEmpty { return piece }
        }
    }

    /// The entry with what may be done with it, or `nil` for one that is hidden.
    private func shown(
        _ entry: EntryView,
        in listing: PermittedListing
    ) -> EntryView? {
        let path =
            listing.isDirectory
            // `.` and `..` are never hidden, and show what holds in the directory itself.
            ? listing.path.appending(component: Array(entry.name)) ?? listing.path : listing.path
        // Who asks for one object by its name gets to know what it is, if not by a listing.
        guard !rules.places.hides(path) || !listing.isDirectory && listing.showsPermissions else {
            return nil
        }
        var (facts, target, place) = (entry.facts, entry.target, path)
        if listing.followsLinks, facts.kind == .symbolicLink,
            let (followed, found) = shownTarget(of: path)
        {
            (facts, target, place) = (found, nil, followed)
        }
        return EntryView(
            name: entry.name,
            facts: facts,
            target: target,
            permissions: listing.showsPermissions
                ? permissions(at: place, isDirectory: facts.kind == .directory) : nil
        )
    }

    /// Where a link leads and what is there, if that may be shown.
    private func shownTarget(of link: VirtualPath) -> (VirtualPath, FileFacts)? {
        guard let place = try? allow(.list, at: link),
            let facts = try? base.facts(of: place, for: .showing)
        else { return nil }
        return (place, facts)
    }
}

/// What a listing that runs is of.
private struct PermittedListing {
    let path: VirtualPath
    let isDirectory: Bool
    let showsPermissions: Bool
    let followsLinks: Bool
}
