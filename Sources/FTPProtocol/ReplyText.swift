/// One line of a reply, as bytes: a file's name in it need not be UTF-8.
///
/// Text and names are told apart. Text may quote anything, so every control character of ASCII in
/// it becomes `?`. A name is for the client to use again, so it passes unchanged but for NUL, CR
/// and LF (see ``VirtualPath``).
package struct ReplyText: Hashable, Sendable {
    /// The line without its end, free of NUL, CR and LF.
    package private(set) var bytes: [UInt8] = []

    /// Creates a line of text.
    package init(_ text: some StringProtocol) {
        append(text: text.utf8)
    }

    /// Creates a line from the bytes of a listing or of a file.
    package init(name: some Sequence<UInt8>) {
        append(name: name)
    }

    private mutating func append(text: some Sequence<UInt8>) {
        for byte in text {
            bytes.append(byte < 0x20 || byte == 0x7F ? UInt8(ascii: "?") : byte)
        }
    }

    private mutating func append(name: some Sequence<UInt8>) {
        bytes.append(name: Array(name))
    }
}

extension ReplyText: ExpressibleByStringInterpolation {
    /// Gathers the parts of a line.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var line = ReplyText("")

        /// Begins an empty line.
        package init(literalCapacity: Int, interpolationCount: Int) {
            line.bytes.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        /// Appends what stands in the source.
        package mutating func appendLiteral(_ literal: String) {
            line.append(text: literal.utf8)
        }

        /// Appends a value as text.
        package mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            line.append(text: value.description.utf8)
        }

        /// Appends a path byte for byte.
        package mutating func appendInterpolation(path: VirtualPath) {
            line.append(name: path.bytes)
        }

        /// Appends a path between quotes, each quote in it doubled (RFC 959 appendix II).
        package mutating func appendInterpolation(quoting path: VirtualPath) {
            line.append(name: path.quotedBytes)
        }

        /// Appends a name byte for byte.
        package mutating func appendInterpolation(name: [UInt8]) {
            line.append(name: name)
        }
    }

    /// Creates a line from a literal.
    package init(stringLiteral text: String) {
        self.init(text)
    }

    /// Creates a line from a literal with values and names in it.
    package init(stringInterpolation: StringInterpolation) {
        self = stringInterpolation.line
    }
}
