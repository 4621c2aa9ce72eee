import FTPProtocol

/// What holds for the argument of a command, whichever command it belongs to.
enum ArgumentChecks {
    static func run(_ command: Command) throws {
        let argument = command.argument
        _ = ForeignProtocol.isSpoken(in: command)
        _ = try? TransferType(argument: argument)
        _ = try? FileStructure(argument: argument)
        _ = try? TransferMode(argument: argument)
        _ = try? ProtectionLevel(argument: argument)
        _ = SiteCommand(name: argument)
        _ = HashAlgorithm(name: argument)
        try claim(AllocationSize.parse(argument) ?? 0 >= 0, "ALLO of less than nothing")
        if let mode = OctalMode.parse(argument) {
            try claim(mode <= 0o7777, "a mode of more than 12 bits")
            let text = OctalMode.text(mode, digits: argument.count)
            try claim(Array(text.utf8) == argument, "a mode reads as another one")
        }
        if let options = DeflateOptions().applying(argument) {
            try claim((0...9).contains(options.level), "a level that zlib does not know")
        }
        try ranges(argument)
        try words(argument)
        try times(argument)
    }

    private static func ranges(_ argument: [UInt8]) throws {
        if let part = RangeArgument(argument: argument)?.part {
            for size in [0, 1, part.start, .max] as [Int64] {
                guard let end = part.end(in: size) else { continue }
                try claim((part.start...size).contains(end), "a range ends outside of the file")
            }
        }
        let candidates = DigestArgument.candidates(argument)
        try claim(candidates.count <= 3, "a hash of one of many files")
        try claim(candidates.allSatisfy { !$0.path.isEmpty }, "a hash of a file without a name")
        if let (first, second) = QuotedWord.pair(argument) {
            try claim(!first.isEmpty && !second.isEmpty, "one of two words is empty")
        }
        let listing = ListArguments(argument: argument)
        try claim(listing.path?.isEmpty != true, "a listing of nothing")
        if let path = listing.path { try claim(ends(argument, with: path), "another path") }
    }

    private static func words(_ argument: [UInt8]) throws {
        if let host = HostName(argument: argument) {
            try claim(HostName(host.text) == host, "a host reads as another one")
            try claim(isHarmless(host.text), "a host with control characters")
        }
        if let tag = LanguageTag(argument: argument) {
            try claim(LanguageTag(argument: Array(tag.text.utf8)) == tag, "another language")
        }
        let facts = MachineFacts(optsArgument: argument)
        let selected = Array(facts.selectedText.utf8)
        try claim(MachineFacts(optsArgument: selected) == facts, "other facts than were selected")
    }

    private static func times(_ argument: [UInt8]) throws {
        if let time = Timestamp(timeVal: argument) {
            try claim(Timestamp(timeVal: Array(time.timeVal.utf8)) == time, "another time")
        }
        if let (time, path) = Timestamp.parseModifyCommand(argument) {
            try claim(!path.isEmpty && ends(argument, with: path), "MFMT of another path")
            try claim(time.seconds >= 0, "a time before 1970")
        }
        if let utime = UtimeArgument(argument: argument) {
            try claim(!utime.path.isEmpty, "UTIME of a file without a name")
        }
        if let changes = try? FactChanges(argument: argument) {
            let printed = Array(changes.text.utf8) + [UInt8(ascii: " ")] + changes.path
            try claim((try? FactChanges(argument: printed)) == changes, "MFF of other facts")
        }
    }

    private static func ends(_ bytes: [UInt8], with end: [UInt8]) -> Bool {
        bytes.suffix(end.count).elementsEqual(end)
    }
}
