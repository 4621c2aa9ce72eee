import FTPProtocol

@testable import FileSystem

/// What an Agent answers is read as it was written, and one name makes one line.
enum ListingsTarget {
    static func run(_ input: [UInt8]) throws {
        guard let reply = try? FileReply(decoding: input) else { return }
        try claim((try? FileReply(decoding: reply.encoded)) == reply, "encoded it is another one")
        switch reply {
        case .entries(let entries): try list(entries)
        case .byteCount(let count): try claim(count >= 0, "less than nothing")
        case .opened(_, let path, _, _):
            try claim(VirtualPath(bytes: path.bytes) == path, "a path that is not normal")
        case .done, .failed, .facts, .storage, .text: break
        }
    }

    private static func list(_ entries: EntryPiece) throws {
        var unix: [UInt8] = []
        var machine: [UInt8] = []
        var names: [UInt8] = []
        for entry in entries {
            UnixListing.append(
                entry,
                now: entry.facts.size,
                utcOffset: entry.facts.modified,
                hidesOwners: entry.facts.mode & 1 == 0,
                owner: String(decoding: entry.name, as: UTF8.self),
                classifies: true,
                to: &unix
            )
            MachineListing.append(
                entry,
                facts: .standard,
                permissions: entry.permissions ?? .all,
                to: &machine
            )
            names.appendNameLine(entry.name, sign: entry.facts.sign)
        }
        for listing in [unix, machine, names] {
            try claim(isOfLines(listing, entries.count), "names made more lines, or fewer")
        }
    }

    private static func isOfLines(_ listing: [UInt8], _ count: Int) -> Bool {
        var before: UInt8 = 0
        var lines = 0
        for byte in listing {
            guard byte != 0, (byte == 0x0A) == (before == 0x0D) else { return false }
            if byte == 0x0A { lines += 1 }
            before = byte
        }
        return lines == count && before != 0x0D
    }
}
