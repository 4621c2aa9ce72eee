/// A reply on the control connection (RFC 959 section 4.2).
package struct Reply: Hashable, Sendable {
    /// The three digits.
    package let code: UInt16

    /// The text, one element for each line.
    package let lines: [ReplyText]

    /// Creates a reply whose text cannot smuggle in a second reply.
    ///
    /// Text often quotes what a client sent, which may hold CR, LF or an escape sequence for a
    /// terminal. Every control character of ASCII becomes `?`.
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
        self.init(code, lines: lines.map { ReplyText($0) })
    }

    /// Creates a reply that carries names of files byte for byte.
    ///
    /// - Parameters:
    ///   - code: A number from 100 to 559; any other is a programmer's error.
    ///   - lines: At least one line.
    package init(_ code: UInt16, _ lines: ReplyText...) {
        self.init(code, lines: lines)
    }

    /// Creates a reply that carries names of files byte for byte.
    ///
    /// - Parameters:
    ///   - code: A number from 100 to 559; any other is a programmer's error.
    ///   - lines: At least one line.
    package init(_ code: UInt16, lines: [ReplyText]) {
        precondition((100...559).contains(code), "a reply code is a number from 100 to 559")
        precondition(!lines.isEmpty, "a reply has at least one line")
        self.code = code
        self.lines = lines
    }

    /// Creates a reply from text that an administrator wrote, one line for each of its own.
    ///
    /// - Parameters:
    ///   - code: A number from 100 to 559; any other is a programmer's error.
    ///   - text: The text, lines separated by LF.
    package init(_ code: UInt16, text: String) {
        let lines = text.utf8.split(separator: .lineFeed, omittingEmptySubsequences: false)
        self.init(code, lines: lines.map { String(decoding: $0, as: UTF8.self) })
    }

    /// The bytes to send, each line ending in CR LF.
    ///
    /// The first line starts `NNN-` and the last `NNN ` (RFC 959 section 4.2). Lines in between
    /// start with one space: text that begins with digits then cannot look like the end, and FEAT
    /// (RFC 2389 section 3.2) and MLST (RFC 3659 section 7.2) ask for exactly that.
    ///
    /// Byte 255, which only the name of a file can hold, is sent twice: alone it would begin a
    /// Telnet command (RFC 854). ``CommandLineReader`` takes it the same way.
    package var encoded: [UInt8] {
        var output: [UInt8] = []
        for (index, line) in lines.enumerated() {
            if index == lines.count - 1 {
                output.appendDecimal(UInt64(code))
                output.append(.space)
            } else if index == 0 {
                output.appendDecimal(UInt64(code))
                output.append(UInt8(ascii: "-"))
            } else if line.bytes.first != .space {
                output.append(.space)
            }
            for byte in line.bytes {
                output.append(byte)
                if byte == .max { output.append(byte) }
            }
            output.append(.carriageReturn)
            output.append(.lineFeed)
        }
        return output
    }
}
