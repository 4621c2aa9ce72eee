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

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: false
        // Marks and overrides of text direction, line and paragraph separators.
        case 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: false
        default: true
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
