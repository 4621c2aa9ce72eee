/// One JSON object, built member by member (RFC 8259).
///
/// Plain enough for processes that have no library for it. Whatever bytes come in, what comes out is
/// one line of UTF-8 without control characters.
package struct JSONObject: Hashable, Sendable {
    /// The members with commas between them, without the braces.
    package private(set) var members: [UInt8] = []

    /// Creates an object without members.
    package init() {}

    /// The object with its braces.
    package var encoded: [UInt8] {
        [UInt8(ascii: "{")] + members + [UInt8(ascii: "}")]
    }

    /// Adds a text.
    package mutating func put(_ name: String, _ text: String) {
        begin(name)
        Self.append(Array(text.utf8), to: &members)
    }

    /// Adds a number.
    package mutating func put(_ name: String, _ number: UInt64) {
        begin(name)
        members.appendDecimal(number)
    }

    /// Adds a truth value.
    package mutating func put(_ name: String, _ value: Bool) {
        begin(name)
        members.append(ascii: value ? "true" : "false")
    }

    /// Adds an object, or `null`.
    package mutating func put(_ name: String, _ object: JSONObject?) {
        begin(name)
        members += object?.encoded ?? Array("null".utf8)
    }

    /// Adds a list of objects.
    package mutating func put(_ name: String, _ objects: [JSONObject]) {
        begin(name)
        members.append(UInt8(ascii: "["))
        members += objects.map(\.encoded).joined(separator: [UInt8(ascii: ",")])
        members.append(UInt8(ascii: "]"))
    }

    /// Adds a name of which every byte counts.
    ///
    /// Where some are not UTF-8, those and control characters show as U+FFFD, and a second member,
    /// `NAME_hex`, has them all. So no name takes more than six times its bytes.
    package mutating func put(_ name: String, bytes: [UInt8]) {
        let isText = String(validating: bytes, as: UTF8.self) != nil
        begin(name)
        Self.append(bytes, to: &members, escapes: isText)
        if !isText { put("\(name)_hex", Self.hexadecimal(bytes)) }
    }

    /// Adds bytes in lower-case hexadecimal.
    package mutating func put(_ name: String, hexadecimal bytes: [UInt8]) {
        put(name, Self.hexadecimal(bytes))
    }

    /// Adds what another object holds.
    package mutating func put(contentsOf other: JSONObject) {
        guard !other.members.isEmpty else { return }
        if !members.isEmpty { members.append(UInt8(ascii: ",")) }
        members += other.members
    }

    /// Bytes in lower-case hexadecimal.
    package static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(UInt8.hexadecimalDigit(byte >> 4))
            text.append(UInt8.hexadecimalDigit(byte & 0xF))
        }
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func begin(_ name: String) {
        if !members.isEmpty { members.append(UInt8(ascii: ",")) }
        Self.append(Array(name.utf8), to: &members)
        members.append(UInt8(ascii: ":"))
    }

    /// Appends a string with its quotes, and what would harm the line escaped, or else as U+FFFD.
    private static func append(
        _ bytes: [UInt8],
        to output: inout [UInt8],
        escapes: Bool = true
    ) {
        var parser = Unicode.UTF8.ForwardParser()
        var input = bytes.makeIterator()
        output.append(UInt8(ascii: "\""))
        defer { output.append(UInt8(ascii: "\"")) }
        // Nearly all of them.
        guard !bytes.allSatisfy(isPlain) else {
            output += bytes
            return
        }
        reading: while true {
            switch parser.parseScalar(from: &input) {
            case .valid(let encoded):
                let scalar = UTF8.decode(encoded)
                let isShown = escapes || LogText.isHarmless(scalar)
                append(isShown ? scalar : "\u{FFFD}", to: &output)
            case .error: append("\u{FFFD}", to: &output)
            case .emptyInput: break reading
            }
        }
    }

    /// Whether a byte stands for itself wherever it is.
    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    private static func append(_ scalar: Unicode.Scalar, to output: inout [UInt8]) {
        if scalar == "\"" || scalar == "\\" {
            output.append(UInt8(ascii: "\\"))
        } else if !LogText.isHarmless(scalar) {
            // All of them lie in the first plane. A terminal that shows the line is spared them.
            output.append(ascii: "\\u")
            for shift: UInt32 in [12, 8, 4, 0] {
                let digit = UInt8(truncatingIfNeeded: scalar.value >> shift & 0xF)
                output.append(UInt8.hexadecimalDigit(digit))
            }
            return
        }
        output.append(contentsOf: Array(String(scalar).utf8))
    }
}
