internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import LinuxSystem

// LIST, NLST, MLSD and MLST.

extension FTPHandler {
    /// Reads the argument of LIST, NLST or STAT.
    final func listing(_ argument: [UInt8]) throws(SessionEnd) -> ListingWish? {
        let arguments = ListArguments(argument: argument)
        var path: VirtualPath? = workingDirectory
        if let bytes = arguments.path { path = try self.path(bytes) }
        guard let path else { return nil }
        return ListingWish(flags: arguments.flags, written: arguments.path ?? [], path: path)
    }

    /// Begins a listing: of what has exactly that name, else of what its last name describes.
    final func begin(
        _ wish: ListingWish,
        _ options: ListingOptions,
        in fileSystem: any FileSystem
    ) throws(FileError) -> BegunListing {
        do throws(FileError) {
            let facts = try fileSystem.beginListing(of: wish.path, options)
            return BegunListing(
                path: wish.path,
                facts: facts,
                isMatch: false,
                isDirectory: facts.kind == .directory && !options.contains(.directoryItself)
            )
        } catch {
            guard error == .notFound || error == .nameTooLong,
                let pattern = wish.path.lastComponent, GlobPattern.isPattern(pattern),
                pattern.count <= GlobPattern.maximumByteCount
            else { throw error }
            let directory = wish.path.parent
            let query = ListingQuery(
                options.subtracting([.directoryItself, .dots]),
                matching: pattern
            )
            let facts = try fileSystem.beginListing(of: directory, query)
            return BegunListing(path: directory, facts: facts, isMatch: true, isDirectory: true)
        }
    }

    final func list(_ argument: [UInt8]) throws(SessionEnd) {
        guard let wish = try listing(argument) else { return }
        try sendListing("LIST", wish, isLong: true)
    }

    final func listNames(_ argument: [UInt8]) throws(SessionEnd) {
        guard let wish = try listing(argument) else { return }
        try sendListing("NLST", wish, isLong: wish.flags.contains(.long))
    }

    private func sendListing(
        _ verb: String,
        _ wish: ListingWish,
        isLong: Bool
    ) throws(SessionEnd) {
        guard try mayTransfer(), let fileSystem = login?.fileSystem else { return }
        let flags = wish.flags
        let isRecursive = flags.contains(.recursive) && configuration.files.listsRecursively
        var options = wish.options(showsDotFiles: configuration.files.showsDotFiles)
        if isLong, flags.contains(.all) { options.insert(.dots) }
        if !isLong, !isRecursive, !flags.contains(.classify) { options.insert(.namesOnly) }
        let attempted = try attempt(550, verb) { fileSystem throws(FileError) in
            try begin(wish, options, in: fileSystem)
        }
        guard let begun = attempted else { return }
        let recursion =
            isRecursive && begun.isDirectory
            ? RecursiveListing(fileSystem, of: begun.path, options) : nil
        let prefix = begun.prefix(wish.written)
        let source: ListingSource
        if isLong {
            let format = unixFormat(flags)
            source =
                recursion.map { .longForms(of: $0, in: begun.path, from: prefix, format) }
                ?? ListingSource(fileSystem) { entry, text in format(entry, begun.place, &text) }
        } else {
            let format = nameFormat(flags)
            source =
                recursion.map { .names(of: $0, from: prefix, format) }
                ?? ListingSource(fileSystem) { entry, text in format(entry, prefix, &text) }
        }
        try transfer(
            verb,
            begun.path,
            opening: "Here comes the directory listing.",
            done: recursion?.cut?.text ?? "Directory send OK.",
            move: { handler throws(TransferFailure) in try handler.send(told(source)) }
        )
    }

    /// Formats the entries of a directory as `ls -l` does, or as the program does.
    final func unixFormat(
        _ flags: ListArguments.Flags
    ) -> (EntryView, _ directory: VirtualPath, inout [UInt8]) -> Void {
        let classifies = flags.contains(.classify)
        guard settings.embedding != nil else {
            let format = usualFormat(classifies: classifies)
            return { entry, _, text in format(entry, &text) }
        }
        return { [unowned self] entry, directory, text in
            let entry = FTPFileEntry(entry, isClassified: classifies)
            let line = formatList(entry, in: FTPPath(directory))
            if !line.isEmpty { text.appendNameLine(line[...]) }
        }
    }

    /// Formats entries as `ls -l` does, whatever the program says.
    final func usualFormat(classifies: Bool) -> (EntryView, inout [UInt8]) -> Void {
        let files = configuration.files
        let now = secondsSinceEpoch()
        let names = files.namesOwners && !files.hidesOwners ? ownerNames : nil
        return { entry, text in
            let offset = files.usesLocalTime ? localTimeOffset(at: entry.facts.modified) : 0
            UnixListing.append(
                entry,
                now: now,
                utcOffset: offset,
                hidesOwners: files.hidesOwners,
                owner: names?.name(of: .user(entry.facts.owner)),
                group: names?.name(of: .group(entry.facts.group)),
                classifies: classifies,
                to: &text
            )
        }
    }

    private func nameFormat(
        _ flags: ListArguments.Flags
    ) -> (EntryView, _ prefix: [UInt8], inout [UInt8]) -> Void {
        let classifies = flags.contains(.classify)
        return { entry, prefix, text in
            text.appendNameLine(
                entry.name,
                behind: prefix,
                sign: classifies ? entry.facts.sign : nil
            )
        }
    }

    /// The facts that the client asked for, as far as they are shown (`hide_ids`).
    private var shownFacts: MachineFacts {
        configuration.files.hidesOwners
            ? machineFacts.subtracting([.unixOwner, .unixGroup]) : machineFacts
    }

    final func listMachine(_ argument: [UInt8]) throws(SessionEnd) {
        var path: VirtualPath? = workingDirectory
        if !argument.isEmpty { path = try self.path(argument) }
        guard let path, let permissions = login?.terms.permissions else { return }
        guard try mayTransfer(), let fileSystem = login?.fileSystem else { return }
        let begun = try attempt(550, "MLSD") { fileSystem throws(FileError) in
            try fileSystem.beginListing(of: path, [.hidden, .followsLinks, .permissions])
        }
        guard let facts = begun else { return }
        // RFC 3659 section 7.2.1: a path that is no directory is an error of the argument.
        guard facts.kind == .directory else {
            try reply(501, "Not a directory.")
            return
        }
        let selected = shownFacts
        try transfer(
            "MLSD",
            path,
            opening: "Here comes the directory listing.",
            done: "Directory send OK.",
            move: { handler throws(TransferFailure) in
                let source = ListingSource(fileSystem) { [unowned self] entry, text in
                    guard settings.embedding == nil else {
                        MachineListing.append(
                            harmless: ownFacts(entry, permissions, in: path),
                            entry.name,
                            to: &text
                        )
                        return
                    }
                    MachineListing.append(
                        entry,
                        facts: selected,
                        permissions: entry.permissions ?? permissions,
                        to: &text
                    )
                }
                try handler.send(told(source))
            }
        )
    }

    /// The facts of an entry, as the program puts them together.
    private func ownFacts(
        _ entry: EntryView,
        _ permissions: Permissions,
        in directory: VirtualPath
    ) -> [UInt8] {
        var entry = FTPFileEntry(entry)
        entry.permissions = entry.permissions ?? permissions
        return formatMLSx(entry, in: FTPPath(directory))
    }

    /// The facts of an entry that the client asked for.
    final func usualFacts(_ entry: FTPFileEntry) -> [UInt8] {
        var facts: [UInt8] = []
        MachineListing.appendFacts(
            of: entry.view,
            shownFacts,
            permissions: entry.permissions ?? login?.terms.permissions ?? [],
            to: &facts
        )
        return facts
    }

    final func describeMachine(_ argument: [UInt8]) throws(SessionEnd) {
        var path: VirtualPath? = workingDirectory
        if !argument.isEmpty { path = try self.path(argument) }
        guard let path, let permissions = login?.terms.permissions else { return }
        let found = try attempt(550, "MLST") { fileSystem throws(FileError) in
            try fileSystem.beginListing(of: path, [.directoryItself, .permissions])
            guard let entry = try fileSystem.nextEntries().first else { throw FileError.notFound }
            return entry
        }
        guard let found else { return }
        var line: [UInt8] = []
        if settings.embedding == nil {
            let entry = EntryView(
                name: path.bytes[...],
                facts: found.facts,
                target: nil,
                permissions: found.permissions
            )
            MachineListing.appendFacts(
                entry,
                facts: shownFacts,
                permissions: found.permissions ?? permissions,
                to: &line
            )
        } else {
            let facts = ownFacts(found, permissions, in: path.parent)
            line = MachineListing.made(harmless: facts) + [UInt8(ascii: " ")] + path.bytes
        }
        // RFC 3659 section 7.2: a space, then the entry, which without facts begins with one.
        try reply(Reply(250, "Listing \(path: path)", " \(name: line)", "End"))
    }
}

extension ListingSource {
    /// Long forms, each directory's behind a line with its path, as `ls -lR` shows them.
    fileprivate static func longForms(
        of recursion: RecursiveListing,
        in directory: VirtualPath,
        from prefix: [UInt8],
        _ format: @escaping (EntryView, _ directory: VirtualPath, inout [UInt8]) -> Void
    ) -> ListingSource {
        var isFirst = true
        var place = directory
        return ListingSource { text throws(FileError) in
            switch try recursion.next() {
            case nil: return false
            case .entries(let entries)?:
                for entry in entries { format(entry, place, &text) }
            case .directory(let relative)?:
                place = directory.appending(names: relative)
                if !isFirst { text.appendNameLine([]) }
                isFirst = false
                text.appendNameLine(heading(prefix, relative)[...], sign: UInt8(ascii: ":"))
            }
            return true
        }
    }

    private static func heading(_ prefix: [UInt8], _ relative: [UInt8]) -> [UInt8] {
        let path = (prefix.isEmpty ? Array("./".utf8) : prefix) + relative
        guard relative.isEmpty, path.count > 1 else { return path }
        return path.dropLast()
    }

    /// Names alone, each with its path, so that a client can ask for them.
    fileprivate static func names(
        of recursion: RecursiveListing,
        from prefix: [UInt8],
        _ format: @escaping (EntryView, _ prefix: [UInt8], inout [UInt8]) -> Void
    ) -> ListingSource {
        var place = prefix
        return ListingSource { text throws(FileError) in
            while true {
                switch try recursion.next() {
                case nil: return false
                case .directory(let relative)?:
                    place = prefix + relative
                    if !relative.isEmpty { place.append(UInt8(ascii: "/")) }
                case .entries(let entries)?:
                    for entry in entries { format(entry, place, &text) }
                    return true
                }
            }
        }
    }
}

extension VirtualPath {
    /// The path of what lies `relative` to this directory, as far as that can be one.
    fileprivate func appending(names relative: [UInt8]) -> VirtualPath {
        relative.split(separator: UInt8(ascii: "/")).reduce(self) { path, name in
            path.appending(component: [UInt8](name)) ?? path
        }
    }
}

extension RecursiveListing.Cut {
    /// What the client is told at the end.
    fileprivate var text: ReplyText {
        switch self {
        case .depth(let count): "Directory send OK; directories below level \(count) are left out."
        case .entries(let count): "Directory send OK; cut after \(count) entries."
        case .directories(let count): "Directory send OK; cut after \(count) directories."
        case .time(let duration): "Directory send OK; cut after \(duration)."
        }
    }
}
