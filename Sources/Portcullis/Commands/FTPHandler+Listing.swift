internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import LinuxSystem

// LIST, NLST, MLSD and MLST.

/// What a listing command asks for.
struct ListingRequest {
    let path: VirtualPath
    let showsHidden: Bool
    let showsDots: Bool
    let showsItself: Bool
}

extension FTPHandler {
    /// Reads the argument of LIST, NLST or STAT: flags as for ls(1), then a path.
    final func listing(_ argument: [UInt8]) throws(SessionEnd) -> ListingRequest? {
        let arguments = ListArguments(argument: argument)
        var path: VirtualPath? = workingDirectory
        if let bytes = arguments.path { path = try self.path(bytes) }
        guard let path else { return nil }
        let flags = arguments.flags
        return ListingRequest(
            path: path,
            showsHidden: flags.contains(.all) || flags.contains(.almostAll)
                || configuration.files.showsDotFiles,
            showsDots: flags.contains(.all),
            showsItself: flags.contains(.directory)
        )
    }

    final func list(_ argument: [UInt8]) throws(SessionEnd) {
        guard let request = try listing(argument) else { return }
        var options: ListingOptions = [.sorted]
        if request.showsHidden { options.insert(.hidden) }
        if request.showsDots { options.insert(.dots) }
        if request.showsItself { options.insert(.directoryItself) }
        try sendListing("LIST", request.path, options, unixFormat())
    }

    /// Formats entries as `ls -l` does.
    final func unixFormat() -> (DirectoryEntry, inout [UInt8]) -> Void {
        let files = configuration.files
        let now = secondsSinceEpoch()
        return { entry, text in
            let offset = files.usesLocalTime ? localTimeOffset(at: entry.facts.modified) : 0
            UnixListing.append(
                entry,
                now: now,
                utcOffset: offset,
                hidesOwners: files.hidesOwners,
                to: &text
            )
        }
    }

    final func listNames(_ argument: [UInt8]) throws(SessionEnd) {
        guard let request = try listing(argument) else { return }
        var options: ListingOptions = [.sorted, .namesOnly]
        if request.showsHidden { options.insert(.hidden) }
        if request.showsItself { options.insert(.directoryItself) }
        try sendListing("NLST", request.path, options) { entry, text in
            for byte in entry.name {
                // A name may hold what would end the line.
                text.append(byte == 10 || byte == 13 || byte == 0 ? UInt8(ascii: "?") : byte)
            }
            text += [13, 10]
        }
    }

    final func listMachine(_ argument: [UInt8]) throws(SessionEnd) {
        var path: VirtualPath? = workingDirectory
        if !argument.isEmpty { path = try self.path(argument) }
        guard let path, let permissions = login?.terms.permissions else { return }
        let found = try attempt(550, "MLSD") { fileSystem throws(FileError) in
            try fileSystem.facts(of: path, for: .showing)
        }
        guard let facts = found else { return }
        // RFC 3659 section 7.2.1: a path that is no directory is an error of the argument.
        guard facts.kind == .directory else {
            try reply(501, "Not a directory.")
            return
        }
        let selected = machineFacts
        try sendListing("MLSD", path, [.hidden, .followsLinks]) { entry, text in
            MachineListing.append(entry, facts: selected, permissions: permissions, to: &text)
        }
    }

    final func describeMachine(_ argument: [UInt8]) throws(SessionEnd) {
        var path: VirtualPath? = workingDirectory
        if !argument.isEmpty { path = try self.path(argument) }
        guard let path, let permissions = login?.terms.permissions else { return }
        let found = try attempt(550, "MLST") { fileSystem throws(FileError) in
            try fileSystem.facts(of: path, for: .showing)
        }
        guard let facts = found else { return }
        var line: [UInt8] = []
        MachineListing.appendFacts(
            DirectoryEntry(name: path.bytes, facts: facts),
            facts: machineFacts,
            permissions: permissions,
            to: &line
        )
        // RFC 3659 section 7.2: a space, then the entry, which without facts begins with one.
        try reply(Reply(250, "Listing \(path: path)", " \(name: line)", "End"))
    }

    private func sendListing(
        _ verb: String,
        _ path: VirtualPath,
        _ options: ListingOptions,
        _ format: @escaping (DirectoryEntry, inout [UInt8]) -> Void
    ) throws(SessionEnd) {
        guard try mayTransfer(), let fileSystem = login?.fileSystem else { return }
        let begun: Void? = try attempt(550, verb) { fileSystem throws(FileError) in
            try fileSystem.beginListing(of: path, options)
        }
        guard begun != nil else { return }
        try transfer(
            verb,
            path,
            opening: "Here comes the directory listing.",
            done: "Directory send OK.",
            move: { handler throws(TransferFailure) in
                try handler.send(ListingSource(fileSystem, format: format))
            }
        )
    }
}
