/// The argument of LIST, NLST and STAT, which clients mix with options of `ls`.
///
/// RFC 959 knows a path only. RFC 1123 section 4.1.3.3 is where `LIST -l` comes from: the argument
/// was handed to `ls`. A name that looks like options is reached as `./-l` or behind `--`.
package struct ListArguments: Hashable, Sendable {
    /// The letters that mean something.
    package struct Flags: OptionSet, Hashable, Sendable {
        /// The set as bits.
        package let rawValue: UInt16

        /// Creates a set from bits.
        package init(rawValue: UInt16) {
            self.rawValue = rawValue
        }

        /// `a`: names that begin with a dot too.
        package static let all = Flags(rawValue: 1 << 0)
        /// `A`: the same without `.` and `..`.
        package static let almostAll = Flags(rawValue: 1 << 1)
        /// `l`: the long form.
        package static let long = Flags(rawValue: 1 << 2)
        /// `1`: one name on each line.
        package static let oneColumn = Flags(rawValue: 1 << 3)
        /// `d`: a directory itself, not what is in it.
        package static let directory = Flags(rawValue: 1 << 4)
        /// `R`: directories in it too.
        package static let recursive = Flags(rawValue: 1 << 5)
        /// `t`: the newest first.
        package static let time = Flags(rawValue: 1 << 6)
        /// `S`: the largest first.
        package static let size = Flags(rawValue: 1 << 7)
        /// `r`: the other way round.
        package static let reverse = Flags(rawValue: 1 << 8)
        /// `F`: a sign for the kind behind each name.
        package static let classify = Flags(rawValue: 1 << 9)

        /// The meaning of a letter, which is nothing for an unknown one.
        init(letter: UInt8) {
            switch letter {
            case UInt8(ascii: "a"): self = .all
            case UInt8(ascii: "A"): self = .almostAll
            case UInt8(ascii: "l"): self = .long
            case UInt8(ascii: "1"): self = .oneColumn
            case UInt8(ascii: "d"): self = .directory
            case UInt8(ascii: "R"): self = .recursive
            case UInt8(ascii: "t"): self = .time
            case UInt8(ascii: "S"): self = .size
            case UInt8(ascii: "r"): self = .reverse
            case UInt8(ascii: "F"): self = .classify
            default: self = []
            }
        }
    }

    /// The options found.
    package var flags: Flags = []

    /// The path, byte for byte; `nil` when there is none.
    package var path: [UInt8]?

    /// Takes an argument apart.
    ///
    /// Leading words of one `-` and ASCII letters or digits are options, unknown letters included;
    /// `--` ends them. The rest, behind any number of spaces, is the path.
    package init(argument: [UInt8]) {
        var rest = argument[...]
        while rest.first == UInt8(ascii: "-") {
            let word = rest.prefix { $0 != .space }
            let letters = word.dropFirst()
            let endsOptions = letters.elementsEqual("-".utf8)
            guard endsOptions || !letters.isEmpty && letters.allSatisfy(\.isASCIILetterOrDigit)
            else { break }
            rest = rest[word.endIndex...].drop { $0 == .space }
            if endsOptions { break }
            for letter in letters { flags.insert(Flags(letter: letter)) }
        }
        path = rest.isEmpty ? nil : Array(rest)
    }
}
