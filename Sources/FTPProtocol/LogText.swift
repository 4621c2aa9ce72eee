/// Text from a client, made harmless for a log.
package enum LogText {
    /// Writes `bytes` so that one entry stays one line and shows what was really sent.
    ///
    /// Control characters (C0, DEL, C1), bytes that are not UTF-8, invisible characters (Unicode's
    /// category Cf) and those that break a line become `\xNN`; quotes and backslashes get a backslash.
    ///
    /// - Parameters:
    ///   - bytes: What the client sent.
    ///   - maximumByteCount: Where to cut; a cut is shown as `…`.
    ///   - isQuoted: Whether quotes and backslashes get a backslash, for text that stands in quotes.
    /// - Returns: One line without control characters.
    package static func escaped(
        _ bytes: [UInt8],
        maximumByteCount: Int = 512,
        isQuoted: Bool = true
    ) -> String {
        var output: [UInt8] = []
        var parser = Unicode.UTF8.ForwardParser()
        var input = bytes.makeIterator()
        var index = 0
        while index < bytes.count {
            var piece: [UInt8] = []
            let end: Int
            switch parser.parseScalar(from: &input) {
            case .valid(let encoded):
                end = Swift.min(index + encoded.count, bytes.count)
                let scalar = UTF8.decode(encoded)
                if isQuoted, scalar == "\"" || scalar == "\\" { piece.append(ascii: "\\") }
                append(scalar, encodedAs: bytes[index..<end], to: &piece)
            case .error(let length):
                end = Swift.min(index + Swift.max(length, 1), bytes.count)
                appendHexadecimal(bytes[index..<end], to: &piece)
            case .emptyInput:
                end = bytes.count
            }
            guard output.count + piece.count <= maximumByteCount else {
                output.append(ascii: "…")
                break
            }
            output.append(contentsOf: piece)
            index = end
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Writes text from outside as one value of a line: `user=amy`, `user="a b"`.
    ///
    /// Between quotes unless it holds letters and digits of ASCII and `.:-_/@+` alone, so that whoever
    /// takes a line apart takes nothing for a field that a client has written.
    ///
    /// - Parameters:
    ///   - bytes: What came from outside.
    ///   - maximumByteCount: Where to cut what stands between the quotes.
    /// - Returns: One word, or one text between quotes.
    package static func value(
        _ bytes: some Collection<UInt8>,
        maximumByteCount: Int = 512
    ) -> String {
        let bytes = [UInt8](bytes)
        let isWord = bytes.allSatisfy { $0.isASCIILetterOrDigit || wordMarks.contains($0) }
        if isWord, !bytes.isEmpty, bytes.count <= maximumByteCount {
            return String(decoding: bytes, as: UTF8.self)
        }
        return "\"\(escaped(bytes, maximumByteCount: maximumByteCount))\""
    }

    /// Writes a reason that is ours, and may hold something that is not.
    ///
    /// Several words, as they are, unless there is anything among them that a line is taken apart by.
    package static func reason(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy {
            isHarmless($0) && !["=", "\"", "\\", "[", "]"].contains($0)
        }
        return isPlain && !text.isEmpty ? text : value(text.utf8)
    }

    private static let wordMarks = Array(".:-_/@+".utf8)

    /// Writes `bytes` as vsftpd's logs do: `?` for each byte that would otherwise be `\xNN`.
    package static func masked(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var parser = Unicode.UTF8.ForwardParser()
        var input = bytes.makeIterator()
        while output.count < bytes.count {
            let start = output.count
            let harmless: Bool
            let end: Int
            switch parser.parseScalar(from: &input) {
            case .valid(let encoded):
                end = Swift.min(start + encoded.count, bytes.count)
                harmless = isHarmless(UTF8.decode(encoded))
            case .error(let length):
                end = Swift.min(start + Swift.max(length, 1), bytes.count)
                harmless = false
            case .emptyInput:
                return output
            }
            if harmless {
                output.append(contentsOf: bytes[start..<end])
            } else {
                output.append(contentsOf: repeatElement(UInt8(ascii: "?"), count: end - start))
            }
        }
        return output
    }

    private static func append(
        _ scalar: Unicode.Scalar,
        encodedAs bytes: ArraySlice<UInt8>,
        to piece: inout [UInt8]
    ) {
        if isHarmless(scalar) {
            piece.append(contentsOf: bytes)
        } else {
            appendHexadecimal(bytes, to: &piece)
        }
    }

    static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: false
        case 0x20..<0x7F: true
        // Line and paragraph separators.
        case 0x2028, 0x2029: false
        // Marks and overrides of text direction, and all else that cannot be seen and changes what can:
        // soft hyphens, spaces without width, tags.
        default: scalar.properties.generalCategory != .format
        }
    }

    private static func appendHexadecimal(_ bytes: ArraySlice<UInt8>, to piece: inout [UInt8]) {
        for byte in bytes {
            piece.append(ascii: "\\x")
            piece.append(UInt8.hexadecimalDigit(byte >> 4).uppercasedASCII)
            piece.append(UInt8.hexadecimalDigit(byte & 0xF).uppercasedASCII)
        }
    }
}
