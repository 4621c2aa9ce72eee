import FTPProtocol
import TestSupport
import Testing

/// An entry with plain values, for tests to change.
private func entry(
    _ name: String,
    kind: FileFacts.Kind = .regular,
    mode: UInt16 = 0o644,
    size: Int64 = 1_234,
    modified: Int64 = 1_704_207_845
) -> DirectoryEntry {
    DirectoryEntry(
        name: bytes(name),
        facts: FileFacts(
            kind: kind,
            mode: mode,
            linkCount: 1,
            owner: 1_000,
            group: 100,
            size: size,
            modified: modified,
            device: 0xFD01,
            inode: 0x1A2B
        )
    )
}

@Suite("Lines in the form of ls -l")
struct UnixListingTests {
    private func line(
        _ entry: DirectoryEntry,
        now: Int64 = 1_704_300_000,
        utcOffset: Int64 = 0,
        hidesOwners: Bool = false
    ) -> String {
        var output: [UInt8] = []
        UnixListing.append(
            entry.view,
            now: now,
            utcOffset: utcOffset,
            hidesOwners: hidesOwners,
            to: &output
        )
        return text(output)
    }

    @Test func haveTheColumnsThatClientsExpect() {
        #expect(
            line(entry("name"))
                == "-rw-r--r--   1 1000     100          1234 Jan 02 15:04 name\r\n"
        )
        #expect(
            line(entry("name"), hidesOwners: true)
                == "-rw-r--r--   1 ftp      ftp          1234 Jan 02 15:04 name\r\n"
        )
    }

    @Test func haveRoomForTheLargestValues() {
        var file = entry(String(repeating: "n", count: 4_096), kind: .symbolicLink, mode: 0o7777)
        file.facts.linkCount = .max
        file.facts.owner = .max
        file.facts.group = .max
        file.facts.size = .max
        file.target = [UInt8](repeating: 0x0A, count: 4_096)
        for modified in [Int64.min, 0, .max] {
            file.facts.modified = modified
            let shown = line(file, now: modified, utcOffset: .max)
            #expect(
                shown.hasPrefix("lrwsrwsrwt 4294967295 4294967295 4294967295 9223372036854775807")
            )
            #expect(shown.hasSuffix("?\r\n"))
        }
    }

    @Test func areAppendedToWhatIsThere() {
        var output = bytes("before")
        UnixListing.append(
            entry("a").view,
            now: 0,
            utcOffset: 0,
            hidesOwners: true,
            to: &output
        )
        #expect(text(output).hasPrefix("before-rw-"))
    }

    @Test func keepColumnsApartWhenNumbersAreLarge() {
        var large = entry("x", size: .max)
        large.facts.linkCount = .max
        large.facts.owner = .max
        large.facts.group = .max
        #expect(
            line(large)
                == "-rw-r--r-- 4294967295 4294967295 4294967295 9223372036854775807 "
                + "Jan 02 15:04 x\r\n"
        )
        #expect(line(entry("x", size: -5)).contains("        0 Jan"))
    }

    @Test(arguments: [
        (FileFacts.Kind.regular, 0o000 as UInt16, "----------"),
        (.regular, 0o777, "-rwxrwxrwx"),
        (.regular, 0o4755, "-rwsr-xr-x"),
        (.regular, 0o4644, "-rwSr--r--"),
        (.regular, 0o2755, "-rwxr-sr-x"),
        (.regular, 0o2644, "-rw-r-Sr--"),
        (.directory, 0o1777, "drwxrwxrwt"),
        (.directory, 0o1776, "drwxrwxrwT"),
        (.directory, 0o7000, "d--S--S--T"),
        (.symbolicLink, 0o777, "lrwxrwxrwx"),
        (.fifo, 0o600, "prw-------"),
        (.socket, 0o600, "srw-------"),
        (.characterDevice, 0o620, "crw--w----"),
        (.blockDevice, 0o660, "brw-rw----"),
        (.regular, 0o170_644, "-rw-r--r--"),
    ])
    func showKindAndMode(kind: FileFacts.Kind, mode: UInt16, shown: String) {
        #expect(line(entry("x", kind: kind, mode: mode)).hasPrefix(shown + " "))
    }

    @Test(
        arguments: [
            // now minus the time of the file, and what is shown
            (0, "Jan 02 15:04"),
            (180 * 86_400, "Jan 02 15:04"),
            (180 * 86_400 + 1, "Jan 02  2024"),
            (-86_400, "Jan 02 15:04"),
            (-86_401, "Jan 02  2024"),
        ] as [(Int64, String)]
    )
    func showTheTimeOfDayOfRecentFilesOnly(age: Int64, shown: String) {
        #expect(line(entry("x"), now: 1_704_207_845 + age).contains(" \(shown) x"))
    }

    @Test(
        arguments: [
            (3_600, "Jan 02 16:04"), (-16 * 3_600, "Jan 01 23:04"),
            (9 * 3_600, "Jan 03 00:04"),
        ] as [(Int64, String)]
    )
    func showTheTimeWhereTheReaderIs(offset: Int64, shown: String) {
        #expect(line(entry("x"), utcOffset: offset).contains(" \(shown) x"))
    }

    @Test func doNotTrapOnAbsurdTimes() {
        #expect(line(entry("x", modified: .max), now: .min).contains("Dec 31  9999 x"))
        #expect(line(entry("x", modified: .min), now: .max).contains("Jan 01  0000 x"))
        #expect(line(entry("x", modified: .max), utcOffset: .max).contains("Dec 31  9999 x"))
        #expect(line(entry("x", modified: -1), now: 0).contains("Dec 31 23:59 x"))
    }

    @Test func nameAllMonths() {
        let months = (1...12).map { month -> String in
            let zero = month < 10 ? "0" : ""
            let stamp = Timestamp(timeVal: bytes("2023\(zero)\(month)15000000"))
            return String(line(entry("x", modified: stamp?.seconds ?? 0)).dropFirst(42).prefix(3))
        }
        #expect(months.joined(separator: " ") == "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec")
    }

    @Test func cannotBeSplitByAName() {
        let hostile = line(entry("a\r\n-rw-r--r-- 1 root root 0 Jan 01 00:00 b\0c"))
        #expect(hostile.utf8.count(where: { $0 == 0x0A }) == 1)
        #expect(hostile.hasSuffix(" a??-rw-r--r-- 1 root root 0 Jan 01 00:00 b?c\r\n"))
        var link = entry("l", kind: .symbolicLink)
        link.target = bytes("x\r\ny")
        #expect(line(link).hasSuffix(" l -> x??y\r\n"))
    }

    @Test func keepOtherBytesOfNames() {
        var odd = entry("")
        odd.name = bytes(" -l \"é\\\t") + [0xFF]
        var output: [UInt8] = []
        UnixListing.append(odd.view, now: 0, utcOffset: 0, hidesOwners: false, to: &output)
        let end = bytes(" ") + odd.name + bytes("\r\n")
        #expect(output.suffix(end.count) == end[...])
    }

    @Test func showATargetForLinksOnly() {
        var file = entry("f")
        file.target = bytes("elsewhere")
        #expect(line(file).hasSuffix(" f\r\n"))
        #expect(line(entry("l", kind: .symbolicLink)).hasSuffix(" l\r\n"))
    }
}

@Suite("Facts, RFC 3659 section 7")
struct MachineListingTests {
    private func facts(
        _ entry: DirectoryEntry,
        _ facts: MachineFacts = .standard,
        permissions: Permissions = .all,
        role: MachineListing.Role = .entry
    ) -> String {
        var output: [UInt8] = []
        MachineListing.appendFacts(
            entry.view,
            facts: facts,
            permissions: permissions,
            role: role,
            to: &output
        )
        return text(output)
    }

    @Test func ofAFileAreAllThere() {
        #expect(
            facts(entry("a name"))
                == "type=file;size=1234;modify=20240102150405;perm=adfrw;unique=fd01-1a2b;"
                + "UNIX.mode=0644;UNIX.owner=1000;UNIX.group=100; a name"
        )
    }

    @Test func ofTheLargestValuesHaveRoom() {
        var file = entry(String(repeating: "n", count: 4_096), kind: .symbolicLink, mode: 0o7777)
        file.facts.owner = .max
        file.facts.group = .max
        file.facts.size = .max
        file.facts.modified = .max
        file.facts.device = .max
        file.facts.inode = .max
        #expect(
            facts(file)
                == "type=OS.unix=slink;size=9223372036854775807;modify=99991231235959;perm=adfrw;"
                + "unique=ffffffffffffffff-ffffffffffffffff;UNIX.mode=7777;"
                + "UNIX.owner=4294967295;UNIX.group=4294967295; "
                + String(repeating: "n", count: 4_096)
        )
    }

    @Test func ofADirectoryHaveNoSize() {
        #expect(
            facts(entry("d", kind: .directory, mode: 0o1777))
                == "type=dir;modify=20240102150405;perm=cdeflmp;unique=fd01-1a2b;"
                + "UNIX.mode=1777;UNIX.owner=1000;UNIX.group=100; d"
        )
    }

    @Test func endTheirLineInMLSD() {
        var output = bytes("x")
        MachineListing.append(entry("a").view, facts: .type, permissions: .all, to: &output)
        #expect(text(output) == "xtype=file; a\r\n")
    }

    @Test func ofSomebodyElseCannotBeTakenForTheName() {
        func made(_ facts: String) -> String {
            var output: [UInt8] = []
            MachineListing.append(harmless: bytes(facts), bytes("a b\r\n")[...], to: &output)
            return text(output)
        }
        #expect(made("size=1;X.who=a b\r\nc;") == "size=1;X.who=a?b??c; a b??\r\n")
        #expect(made("size=1") == "size=1; a b??\r\n")
        #expect(made("") == " a b??\r\n")
        #expect(made("X.a=\u{e4}\0") == "X.a=???; a b??\r\n")
    }

    @Test func thatNobodyWantsLeaveOneSpace() {
        #expect(facts(entry("a"), []) == " a")
    }

    @Test(arguments: [
        (FileFacts.Kind.regular, MachineListing.Role.entry, "file"),
        (.directory, .entry, "dir"), (.directory, .current, "cdir"),
        (.directory, .parent, "pdir"), (.regular, .current, "file"),
        (.symbolicLink, .entry, "OS.unix=slink"), (.fifo, .entry, "OS.unix=fifo"),
        (.socket, .entry, "OS.unix=socket"), (.characterDevice, .entry, "OS.unix=chr"),
        (.blockDevice, .entry, "OS.unix=blk"),
    ])
    func nameTheType(kind: FileFacts.Kind, role: MachineListing.Role, type: String) {
        #expect(facts(entry("a", kind: kind), .type, role: role) == "type=\(type); a")
    }

    @Test(arguments: [
        ("elr", FileFacts.Kind.regular, "r"), ("elr", .directory, "el"), ("", .regular, ""),
        ("", .directory, ""), ("w", .directory, "c"), ("w", .regular, "w"), ("d", .directory, "dp"),
        ("d", .regular, "d"), ("f", .directory, "f"), ("a", .regular, "a"), ("a", .directory, ""),
        ("m", .directory, "m"), ("m", .regular, ""), ("MT", .regular, ""),
        ("elradfmwMT", .fifo, "df"), ("elradfmwMT", .symbolicLink, "adfrw"),
    ])
    func tellWhatTheUserMayDo(letters: String, kind: FileFacts.Kind, shown: String) throws {
        let permissions = try #require(Permissions(letters: letters))
        #expect(
            facts(entry("a", kind: kind), .perm, permissions: permissions) == "perm=\(shown); a"
        )
    }

    @Test func surviveExtremes() {
        var extreme = entry("", size: .min, modified: .min)
        extreme.facts.mode = .max
        extreme.facts.device = 0
        extreme.facts.inode = .max
        extreme.facts.owner = .max
        #expect(
            facts(extreme)
                == "type=file;size=0;modify=00000101000000;perm=adfrw;unique=0-ffffffffffffffff;"
                + "UNIX.mode=7777;UNIX.owner=4294967295;UNIX.group=100; "
        )
    }

    @Test func cannotBeSplitByAName() {
        #expect(facts(entry("a\r\nb\0;c=d; e"), .type) == "type=file; a??b?;c=d; e")
    }

    @Test(arguments: [
        ("Type;Size;", "type;size;"),
        ("size;TYPE;", "type;size;"),
        ("type", "type;"),
        ("unix.MODE;Unix.Owner;UNIX.GROUP;", "UNIX.mode;UNIX.owner;UNIX.group;"),
        ("", ""), (";", ""), ("create;media-type;lang;", ""),
        ("type;nonsense;modify;", "type;modify;"),
        (" type;size;", "size;"), ("perm;perm;unique;modify;", "modify;perm;unique;"),
        ("\u{17F}ize;", ""),
    ])
    func areChosenByOPTS(argument: String, selected: String) {
        #expect(MachineFacts(optsArgument: bytes(argument)).selectedText == selected)
    }

    @Test func areAnnouncedWithAStarWhenChosen() {
        #expect(
            MachineFacts.standard.featText
                == "type*;size*;modify*;perm*;unique*;UNIX.mode*;UNIX.owner*;UNIX.group*;"
        )
        #expect(
            MachineFacts([.modify]).featText
                == "type;size;modify*;perm;unique;UNIX.mode;UNIX.owner;UNIX.group;"
        )
    }

    @Test func chosenTwiceStayTheSame() {
        for bits in UInt8.min...UInt8.max {
            let chosen = MachineFacts(rawValue: bits)
            #expect(MachineFacts(optsArgument: bytes(chosen.selectedText)) == chosen)
        }
    }
}

private let everyFlag = ListArguments.Flags(rawValue: (1 << 10) - 1)

@Suite("The argument of LIST")
struct ListArgumentsTests {
    @Test(
        arguments: [
            ("", [], nil),
            ("-l", .long, nil),
            ("-la", [.long, .all], nil),
            ("-l -a", [.long, .all], nil),
            ("-aA1dRtSrF", everyFlag.subtracting(.long), nil),
            ("-a name", .all, "name"),
            ("-a   name", .all, "name"),
            ("-a name ", .all, "name "),
            ("name -a", [], "name -a"),
            (" name", [], " name"),
            ("-l ", .long, nil),
            ("-xyz9", [], nil),
            ("-", [], "-"),
            ("- a", [], "- a"),
            ("-l -", .long, "-"),
            ("--", [], nil),
            ("-- -l", [], "-l"),
            ("-a -- -- x", .all, "-- x"),
            ("--help", [], "--help"),
            ("-a.txt", [], "-a.txt"),
            ("-l -a.txt", .long, "-a.txt"),
            ("-é", [], "-é"),
            ("-a/b", [], "-a/b"),
            ("./-l", [], "./-l"),
            ("-l /a b/c", .long, "/a b/c"),
            ("-l\t-a", [], "-l\t-a"),
        ] as [(String, ListArguments.Flags, String?)]
    )
    func isOptionsAndThenAPath(argument: String, flags: ListArguments.Flags, path: String?) {
        let arguments = ListArguments(argument: bytes(argument))
        #expect(arguments.flags == flags)
        #expect(arguments.path == path.map(bytes))
    }

    @Test func hasAMeaningForEachLetter() {
        let pairs: [(String, ListArguments.Flags)] = [
            ("a", .all), ("A", .almostAll), ("l", .long), ("1", .oneColumn), ("d", .directory),
            ("R", .recursive), ("t", .time), ("S", .size), ("r", .reverse), ("F", .classify),
        ]
        for (letter, flag) in pairs {
            #expect(ListArguments(argument: bytes("-" + letter)).flags == flag)
        }
    }

    @Test func keepsBytesThatAreNotUTF8() {
        #expect(ListArguments(argument: bytes("-l ") + [0xFF, 0x20]).path == [0xFF, 0x20])
    }
}
