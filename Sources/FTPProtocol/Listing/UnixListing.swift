/// Lines in the form of `ls -l`, which is what clients expect of LIST.
///
/// RFC 959 leaves the form open. The columns are pyftpdlib's, which every client reads.
package enum UnixListing {
    /// Files changed within this many seconds show the time of day instead of the year.
    private static let recentSeconds: Int64 = 180 * 86_400

    /// Clocks disagree a little; a file from tomorrow still shows its time of day.
    private static let toleratedFutureSeconds: Int64 = 86_400

    /// The longest line, without the names in it.
    private static let maximumColumnsByteCount = 128

    /// Appends one line, ending in CR LF.
    ///
    /// - Parameters:
    ///   - entry: What to show. NUL, CR and LF in names show as `?`.
    ///   - now: The present, in seconds since 1970 UTC.
    ///   - utcOffset: Seconds to add for times as the reader wishes to see them; 0 for UTC.
    ///   - hidesOwners: Whether to show `ftp` in place of owner and group.
    ///   - owner: The owner's name in place of its number.
    ///   - group: The group's name in place of its number.
    ///   - classifies: Whether a sign for the kind stands behind the name (`ls -F`).
    ///   - output: Where the line goes.
    package static func append(
        _ entry: EntryView,
        now: Int64,
        utcOffset: Int64,
        hidesOwners: Bool,
        owner: String? = nil,
        group: String? = nil,
        classifies: Bool = false,
        to output: inout [UInt8]
    ) {
        let ownersByteCount = (owner?.utf8.count ?? 0) + (group?.utf8.count ?? 0)
        let namesByteCount = ownersByteCount + entry.name.count + (entry.target?.count ?? 0)
        output.append(addingCapacity: maximumColumnsByteCount + namesByteCount) { line in
            let facts = entry.facts
            appendMode(facts, to: &line)
            line.append(.space)
            line.appendDecimal(UInt64(facts.linkCount), width: 3)
            line.append(.space)
            if hidesOwners {
                line.append(ascii: "ftp      ftp      ")
            } else {
                appendIdentifier(facts.owner, owner, to: &line)
                appendIdentifier(facts.group, group, to: &line)
            }
            line.appendDecimal(UInt64(max(facts.size, 0)), width: 8)
            line.append(.space)
            appendTime(facts.modified, now: now, utcOffset: utcOffset, to: &line)
            line.append(.space)
            line.append(name: entry.name)
            if facts.kind == .symbolicLink, let target = entry.target {
                line.append(ascii: " -> ")
                line.append(name: target)
            } else if classifies, let sign = facts.sign {
                line.append(sign)
            }
            line.appendLineEnd()
        }
    }

    /// Appends a name or a number left aligned in eight columns, and the blank behind it.
    private static func appendIdentifier(
        _ number: UInt32,
        _ name: String?,
        to output: inout OutputSpan<UInt8>
    ) {
        let start = output.count
        // A blank in a name would be the end of the column.
        if let name, name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) {
            for byte in name.utf8 { output.append(byte) }
        } else {
            output.appendDecimal(UInt64(number))
        }
        repeat { output.append(.space) } while output.count - start < 9
    }

    private static func appendMode(_ facts: FileFacts, to output: inout OutputSpan<UInt8>) {
        let kind: UInt8 =
            switch facts.kind {
            case .regular: UInt8(ascii: "-")
            case .directory: UInt8(ascii: "d")
            case .symbolicLink: UInt8(ascii: "l")
            case .fifo: UInt8(ascii: "p")
            case .socket: UInt8(ascii: "s")
            case .characterDevice: UInt8(ascii: "c")
            case .blockDevice: UInt8(ascii: "b")
            }
        output.append(kind)
        let mode = facts.mode
        appendTriple(mode >> 6, special: mode & 0o4000 != 0, letter: "s", to: &output)
        appendTriple(mode >> 3, special: mode & 0o2000 != 0, letter: "s", to: &output)
        appendTriple(mode, special: mode & 0o1000 != 0, letter: "t", to: &output)
    }

    private static func appendTriple(
        _ bits: UInt16,
        special: Bool,
        letter: Unicode.Scalar,
        to output: inout OutputSpan<UInt8>
    ) {
        output.append(bits & 4 != 0 ? UInt8(ascii: "r") : UInt8(ascii: "-"))
        output.append(bits & 2 != 0 ? UInt8(ascii: "w") : UInt8(ascii: "-"))
        let executable = bits & 1 != 0
        if special {
            // Upper case says that the bit has no execute bit beside it.
            let letter = UInt8(ascii: letter)
            output.append(executable ? letter : letter.uppercasedASCII)
        } else {
            output.append(executable ? UInt8(ascii: "x") : UInt8(ascii: "-"))
        }
    }

    private static func appendTime(
        _ modified: Int64,
        now: Int64,
        utcOffset: Int64,
        to output: inout OutputSpan<UInt8>
    ) {
        let (shifted, overflowed) = modified.addingReportingOverflow(utcOffset)
        let shown = Timestamp(seconds: overflowed ? modified : shifted)
        let civil = shown.clampedToFourDigitYear.civil
        output.append(ascii: monthName(civil.month))
        output.append(.space)
        output.appendTwoDigits(civil.day)
        output.append(.space)
        let (age, tooFar) = now.subtractingReportingOverflow(modified)
        if !tooFar, age <= recentSeconds, age >= -toleratedFutureSeconds {
            output.appendTwoDigits(civil.hour)
            output.append(UInt8(ascii: ":"))
            output.appendTwoDigits(civil.minute)
        } else {
            output.append(.space)
            output.appendFourDigits(civil.year)
        }
    }
    private static func monthName(_ month: Int) -> StaticString {
        switch month {
        case 1: "Jan"
        case 2: "Feb"
        case 3: "Mar"
        case 4: "Apr"
        case 5: "May"
        case 6: "Jun"
        case 7: "Jul"
        case 8: "Aug"
        case 9: "Sep"
        case 10: "Oct"
        case 11: "Nov"
        default: "Dec"
        }
    }
}
