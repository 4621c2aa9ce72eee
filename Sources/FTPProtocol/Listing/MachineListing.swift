/// Entries in the form of MLST and MLSD (RFC 3659 section 7.2).
package enum MachineListing {
    /// What an entry is to the directory that was listed (RFC 3659 section 7.5.1).
    package enum Role: Hashable, Sendable {
        /// An object in it.
        case entry

        /// The directory itself; its type is `cdir`.
        case current

        /// The directory above; its type is `pdir`.
        case parent
    }

    /// Appends one line of MLSD, ending in CR LF.
    ///
    /// - Parameters:
    ///   - entry: What to show. NUL, CR and LF in the name show as `?`.
    ///   - facts: Which facts the client wants.
    ///   - permissions: What the user may do, for the fact `perm`.
    ///   - role: What the entry is to the listed directory.
    ///   - output: Where the line goes.
    package static func append(
        _ entry: EntryView,
        facts: MachineFacts,
        permissions: Permissions,
        role: Role = .entry,
        to output: inout [UInt8]
    ) {
        output.append(addingCapacity: maximumFactsByteCount + entry.name.count + 3) { line in
            append(entry.facts, facts, permissions: permissions, role: role, to: &line)
            line.append(.space)
            line.append(name: entry.name)
            line.appendLineEnd()
        }
    }

    /// Appends a line of MLSD with facts that somebody else has put together.
    ///
    /// - Parameters:
    ///   - facts: The facts; see ``made(harmless:)``.
    ///   - name: The name. NUL, CR and LF show as `?`.
    ///   - output: Where the line goes.
    package static func append(
        harmless facts: [UInt8],
        _ name: ArraySlice<UInt8>,
        to output: inout [UInt8]
    ) {
        output.appendNameLine(name, behind: made(harmless: facts) + [.space])
    }

    /// Facts that somebody else has put together, so that none of them can be taken for the name.
    ///
    /// The name begins behind the first space (RFC 3659 section 7.2): spaces, control characters and
    /// what is not ASCII show as `?`, and the last fact ends as all others do.
    package static func made(harmless facts: [UInt8]) -> [UInt8] {
        var output = facts.map { (0x21...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
        if let last = output.last, last != semicolon { output.append(semicolon) }
        return output
    }

    /// Appends facts, one space and the name, as the reply to MLST shows them.
    ///
    /// - Parameters:
    ///   - entry: What to show. NUL, CR and LF in the name show as `?`.
    ///   - facts: Which facts the client wants.
    ///   - permissions: What the user may do, for the fact `perm`.
    ///   - role: What the entry is to the listed directory.
    ///   - output: Where the text goes.
    package static func appendFacts(
        _ entry: EntryView,
        facts: MachineFacts,
        permissions: Permissions,
        role: Role = .entry,
        to output: inout [UInt8]
    ) {
        output.append(addingCapacity: maximumFactsByteCount + entry.name.count + 1) { text in
            append(entry.facts, facts, permissions: permissions, role: role, to: &text)
            text.append(.space)
            text.append(name: entry.name)
        }
    }

    /// Appends facts alone, without the name.
    ///
    /// - Parameters:
    ///   - entry: What to show.
    ///   - facts: Which facts the client wants.
    ///   - permissions: What the user may do, for the fact `perm`.
    ///   - role: What the entry is to the listed directory.
    ///   - output: Where the text goes.
    package static func appendFacts(
        of entry: EntryView,
        _ facts: MachineFacts,
        permissions: Permissions,
        role: Role = .entry,
        to output: inout [UInt8]
    ) {
        output.append(addingCapacity: maximumFactsByteCount) { text in
            append(entry.facts, facts, permissions: permissions, role: role, to: &text)
        }
    }

    private static func append(
        _ object: FileFacts,
        _ facts: MachineFacts,
        permissions: Permissions,
        role: Role,
        to output: inout OutputSpan<UInt8>
    ) {
        if facts.contains(.type) {
            output.append(ascii: "type=")
            output.append(ascii: typeText(object.kind, role: role))
            output.append(semicolon)
        }
        // A directory's size on disk says nothing to a client (RFC 3659 section 7.5.7).
        if facts.contains(.size), object.kind != .directory {
            output.append(ascii: "size=")
            output.appendDecimal(UInt64(max(object.size, 0)))
            output.append(semicolon)
        }
        if facts.contains(.modify) {
            output.append(ascii: "modify=")
            Timestamp(seconds: object.modified).appendTimeVal(to: &output)
            output.append(semicolon)
        }
        if facts.contains(.perm) {
            output.append(ascii: "perm=")
            appendPermissions(permissions, of: object.kind, to: &output)
            output.append(semicolon)
        }
        if facts.contains(.unique) {
            output.append(ascii: "unique=")
            output.appendHexadecimal(object.device)
            output.append(UInt8(ascii: "-"))
            output.appendHexadecimal(object.inode)
            output.append(semicolon)
        }
        if facts.contains(.unixMode) {
            output.append(ascii: "UNIX.mode=")
            for shift: UInt16 in [9, 6, 3, 0] {
                let digit = UInt8(truncatingIfNeeded: object.mode >> shift & 7)
                output.append(UInt8(ascii: "0") + digit)
            }
            output.append(semicolon)
        }
        if facts.contains(.unixOwner) {
            output.append(ascii: "UNIX.owner=")
            output.appendDecimal(UInt64(object.owner))
            output.append(semicolon)
        }
        if facts.contains(.unixGroup) {
            output.append(ascii: "UNIX.group=")
            output.appendDecimal(UInt64(object.group))
            output.append(semicolon)
        }
    }

    private static let semicolon = UInt8(ascii: ";")

    /// The longest form of all facts.
    private static let maximumFactsByteCount = 256

    private static func typeText(_ kind: FileFacts.Kind, role: Role) -> StaticString {
        switch (role, kind) {
        case (.current, .directory): "cdir"
        case (.parent, .directory): "pdir"
        case (_, .directory): "dir"
        case (_, .regular): "file"
        case (_, .symbolicLink): "OS.unix=slink"
        case (_, .fifo): "OS.unix=fifo"
        case (_, .socket): "OS.unix=socket"
        case (_, .characterDevice): "OS.unix=chr"
        case (_, .blockDevice): "OS.unix=blk"
        }
    }

    /// Appends the letters of RFC 3659 section 7.5.5.
    private static func appendPermissions(
        _ permissions: Permissions,
        of kind: FileFacts.Kind,
        to output: inout OutputSpan<UInt8>
    ) {
        func add(_ letter: Unicode.Scalar, if permission: Permissions) {
            if permissions.contains(permission) { output.append(UInt8(ascii: letter)) }
        }
        switch kind {
        case .directory:
            add("c", if: .store)
            add("d", if: .delete)
            add("e", if: .enterDirectory)
            add("f", if: .rename)
            add("l", if: .list)
            add("m", if: .makeDirectory)
            add("p", if: .delete)
        case .regular, .symbolicLink:
            add("a", if: .append)
            add("d", if: .delete)
            add("f", if: .rename)
            add("r", if: .retrieve)
            add("w", if: .store)
        case .fifo, .socket, .characterDevice, .blockDevice:
            // Never opened, so never read or written.
            add("d", if: .delete)
            add("f", if: .rename)
        }
    }
}
