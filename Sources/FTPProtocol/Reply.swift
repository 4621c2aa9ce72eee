/// A reply on the control connection (RFC 959 section 4.2).
package struct Reply: Hashable, Sendable {
    /// The three digits.
    package let code: UInt16

    /// The text, one element for each line, free of control characters.
    package let lines: [String]

    /// Creates a reply whose text cannot smuggle in a second reply.
    ///
    /// Text often quotes a file name, which may hold CR, LF or an escape sequence for a terminal.
    /// Every control character of ASCII becomes `?`.
    ///
    /// - Parameters:
    ///   - code: A number from 100 to 559; any other is a programmer's error.
    ///   - lines: At least one line.
    package init(_ code: UInt16, _ lines: String...) {
        self.init(code, lines: lines)
    }

    /// Creates a reply from lines gathered elsewhere.
    ///
    /// - Parameters:
    ///   - code: A number from 100 to 559; any other is a programmer's error.
    ///   - lines: At least one line.
    package init(_ code: UInt16, lines: [String]) {
        precondition((100...559).contains(code), "a reply code is a number from 100 to 559")
        precondition(!lines.isEmpty, "a reply has at least one line")
        self.code = code
        self.lines = lines.map(Reply.withoutControlCharacters)
    }

    /// The bytes to send, each line ending in CR LF.
    ///
    /// The first line starts `NNN-` and the last `NNN ` (RFC 959 section 4.2). Lines in between
    /// start with one space: text that begins with digits then cannot look like the end, and FEAT
    /// (RFC 2389 section 3.2) and MLST (RFC 3659 section 7.2) ask for exactly that.
    package var encoded: [UInt8] {
        // UTF-8 has no byte 255, so nothing here needs the doubling of Telnet's IAC.
        var output: [UInt8] = []
        for (index, line) in lines.enumerated() {
            if index == lines.count - 1 {
                output.appendDecimal(UInt64(code))
                output.append(.space)
            } else if index == 0 {
                output.appendDecimal(UInt64(code))
                output.append(UInt8(ascii: "-"))
            } else if line.utf8.first != .space {
                output.append(.space)
            }
            output.append(contentsOf: line.utf8)
            output.append(.carriageReturn)
            output.append(.lineFeed)
        }
        return output
    }

    private static func withoutControlCharacters(_ text: String) -> String {
        func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }
        guard text.utf8.contains(where: isControl) else { return text }
        let bytes = text.utf8.map { isControl($0) ? UInt8(ascii: "?") : $0 }
        return String(decoding: bytes, as: UTF8.self)
    }
}
