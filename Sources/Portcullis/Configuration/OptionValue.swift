internal import FTPProtocol

/// How the text of a value is read.
enum OptionValue {
    /// Reads a switch: YES, TRUE or 1, and NO, FALSE or 0, in any case, as in vsftpd.
    static func toggle(_ text: String) throws(OptionValueError) -> Bool {
        switch text.uppercased() {
        case "YES", "TRUE", "1": return true
        case "NO", "FALSE", "0": return false
        case "":
            throw OptionValueError(why: "the value is missing", mend: "write YES or NO")
        default:
            throw OptionValueError(why: "the value is neither YES nor NO", mend: "write YES or NO")
        }
    }

    /// Reads a number without a sign; one that begins with 0 is octal, as in vsftpd.
    static func number(_ text: String, in range: ClosedRange<Int>) throws(OptionValueError) -> Int {
        guard let value = unsigned(text) else {
            let why = text.isEmpty ? "the value is missing" : "the value is not a number"
            throw OptionValueError(
                why: why,
                mend: "write decimal digits, or octal digits behind a 0"
            )
        }
        guard range.contains(value) else {
            throw OptionValueError(
                why: "\(value) is outside of what is possible",
                mend: "write a number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return value
    }

    /// Reads permission bits, which are octal only when they begin with 0.
    static func permissions(_ text: String) throws(OptionValueError) -> UInt16 {
        guard let value = unsigned(text), let bits = UInt16(exactly: value), bits <= 0o777 else {
            throw OptionValueError(
                why: "the value is no set of permission bits",
                mend: "write octal digits behind a 0, such as 022"
            )
        }
        return bits
    }

    /// Reads a text; an empty one unsets the option.
    static func text(_ text: String) throws(OptionValueError) -> String? {
        text.isEmpty ? nil : text
    }

    /// Reads a number with up to two places behind the point, in hundredths; none is 0.
    static func hundredths(_ text: String) throws(OptionValueError) -> Int {
        let parts = (text.isEmpty ? "0" : text).split(
            separator: ".",
            omittingEmptySubsequences: false
        )
        let digits = parts.allSatisfy { part in
            (1...6).contains(part.utf8.count) && part.utf8.allSatisfy { (48...57).contains($0) }
        }
        guard digits, (1...2).contains(parts.count),
            parts.dropFirst().allSatisfy({ $0.count < 3 }),
            let whole = Int(parts[0])
        else {
            throw OptionValueError(
                why: "it is no number with up to two places behind the point",
                mend: "write a number such as 4 or 7.50"
            )
        }
        let places = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
        let scale = parts.count == 2 && parts[1].count == 1 ? 10 : 1
        return whole * 100 + places * scale
    }

    /// Reads networks in CIDR notation.
    static func networks(_ text: String) throws(OptionValueError) -> [IPNetwork] {
        var networks: [IPNetwork] = []
        for word in words(text) {
            guard let network = IPNetwork(String(word)) else {
                throw OptionValueError(
                    why: "`\(word)` is no network",
                    mend: "write networks such as 192.0.2.0/24,2001:db8::/32"
                )
            }
            networks.append(network)
        }
        return networks
    }

    /// The words of a list with commas or blanks between them.
    static func words(_ text: String) -> [Substring] {
        // Not characters: a comma with an accent on it would be another one.
        text.unicodeScalars.split { [",", " ", "\t"].contains($0) }.map(Substring.init)
    }

    /// Reads the digits alone: `Int` would take a sign too.
    private static func unsigned(_ text: String) -> Int? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Int(text, radix: text.utf8.first == UInt8(ascii: "0") ? 8 : 10)
    }
}
