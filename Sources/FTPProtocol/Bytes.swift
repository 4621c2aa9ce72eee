// Small helpers for bytes. FTP's keywords are ASCII, so no locale and no Unicode folding is wanted.

extension UInt8 {
    /// The byte with `a` to `z` made upper case.
    var uppercasedASCII: UInt8 {
        self >= UInt8(ascii: "a") && self <= UInt8(ascii: "z") ? self &- 32 : self
    }

    /// Whether the byte is one of `A`-`Z`, `a`-`z`, `0`-`9`.
    package var isASCIILetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}

extension Sequence<UInt8> {
    /// The bytes with `a` to `z` made upper case.
    var uppercasedASCII: [UInt8] { map(\.uppercasedASCII) }

    /// The bytes as an upper-case keyword to be compared, or nothing when one is not ASCII.
    ///
    /// Swift compares strings by canonical equivalence, and the Kelvin sign is equivalent to `K`:
    /// two different verbs would be one.
    package var keyword: String {
        let bytes = uppercasedASCII
        return bytes.allSatisfy { $0 < 0x80 } ? String(decoding: bytes, as: UTF8.self) : ""
    }
}

extension [UInt8] {
    /// Appends `value` in decimal, right aligned in `width` columns.
    mutating func appendDecimal(_ value: UInt64, width: Int = 0, padding: UInt8 = .space) {
        append(addingCapacity: Swift.max(20, width)) { output in
            output.appendDecimal(value, width: width, padding: padding)
        }
    }

    /// Appends `value` in decimal with zeros in front, up to `width` digits.
    mutating func appendZeroPadded(_ value: Int, width: Int) {
        appendDecimal(UInt64(value.magnitude), width: width, padding: UInt8(ascii: "0"))
    }

    /// Appends the ASCII of a literal.
    mutating func append(ascii text: String) {
        append(contentsOf: text.utf8)
    }
}

extension UInt8 {
    static let space = UInt8(ascii: " ")
    static let carriageReturn: UInt8 = 0x0D
    static let lineFeed: UInt8 = 0x0A

    /// The lower-case digit for a value below 16.
    static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ (value &- 10)
    }
}
