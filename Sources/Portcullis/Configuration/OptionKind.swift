/// What a value of an option looks like.
package enum OptionKind: Hashable, Sendable {
    /// YES or NO.
    case toggle
    /// A number in this range.
    case number(ClosedRange<Int>)
    /// Seconds in this range.
    case seconds(ClosedRange<Int>)
    /// Permission bits.
    case permissions
    /// A text without blanks, such as an address.
    case word
    /// A text, which may hold blanks.
    case text

    /// Tells the value from a comment that nothing but its place sets apart.
    ///
    /// vsftpd reads a number as far as there are digits, so comments stand behind numbers in files
    /// that it has taken for years, with any mark before them or none, and in any language.
    ///
    /// - Returns: The value, and whether a comment stands behind it. A text is never divided.
    func parts(of text: String) -> (value: String, hasComment: Bool) {
        guard self != .text else { return (text, false) }
        let bytes = text.utf8
        let end = bytes.firstIndex { !Self.isOfWord($0) } ?? bytes.endIndex
        let rest = bytes[end...]
        let comment = rest.drop(while: \.isBlank)
        guard end != bytes.startIndex, let first = comment.first else { return (text, false) }
        // Behind `#` and letters beyond ASCII there is no number; `1, 2` and `1 2` may be a list.
        let isMarked = first == UInt8(ascii: "#") || first >= 0x80
        let isApart =
            rest.startIndex != comment.startIndex
            && !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
            && first != UInt8(ascii: ",") && first != UInt8(ascii: "-")
        guard isMarked || isApart else { return (text, false) }
        return (String(text[..<end]), true)
    }

    /// Letters, digits, and what addresses are written with.
    private static func isOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "."), UInt8(ascii: ":"),
            UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "%"), UInt8(ascii: "\""):
            true
        default: false
        }
    }
}
