/// Text from a client, made harmless for a log.
package enum LogText {
    /// Writes `bytes` so that one entry stays one line and shows what was really sent.
    ///
    /// Control characters (C0, DEL, C1), bytes that are not UTF-8, and the invisible characters
    /// that reorder or break a line become `\xNN`; quotes and backslashes get a backslash.
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

    private static func append(
        _ scalar: Unicode.Scalar,
        encodedAs bytes: ArraySlice<UInt8>,
        to piece: inout [UInt8]
    ) {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0:
            appendHexadecimal(bytes, to: &piece)
        case 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069:
            // Marks and overrides of text direction, line and paragraph separators.
            appendHexadecimal(bytes, to: &piece)
        default:
            piece.append(contentsOf: bytes)
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
