/// How text is written on the control connection and in listings (RFC 2640).
///
/// Inside the server it is UTF-8, as names on the disk are.
package enum NameEncoding: Hashable, Sendable {
    /// UTF-8, as RFC 2640 wants it.
    case utf8
    /// ISO 8859-1.
    case latin1
    /// Windows-1252: ISO 8859-1 with letters and signs in place of its second set of controls.
    case windows1252

    /// What becomes of text that cannot be told.
    package enum Remedy: Hashable, Sendable {
        /// Its bytes pass as they are.
        case pass
        /// It is not told at all.
        case refuse
        /// A sign stands in its place: `?`, or U+FFFD where that can be told.
        case replace
        /// It is left out.
        case ignore
    }

    /// Reads what a client has sent.
    ///
    /// - Returns: The text in UTF-8, or what `remedy` makes of it; `nil` when it is refused.
    package func decode(_ bytes: [UInt8], _ remedy: Remedy) -> [UInt8]? {
        guard bytes.contains(where: { $0 >= 0x80 }) else { return bytes }
        guard self != .utf8 else { return transcode(bytes, remedy) }
        var text: [UInt8] = []
        text.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            guard byte >= 0x80 else {
                text.append(byte)
                continue
            }
            if let encoded = UTF8.encode(scalar(of: byte)) { text.append(contentsOf: encoded) }
        }
        return text
    }

    /// Writes UTF-8 for a client.
    ///
    /// - Returns: Its bytes, or what `remedy` makes of them; `nil` when they are refused.
    package func encode(_ text: [UInt8], _ remedy: Remedy) -> [UInt8]? {
        guard text.contains(where: { $0 >= 0x80 }) else { return text }
        return transcode(text, remedy)
    }

    /// Writes the lines of a listing, of which `refuse` leaves out those that cannot be told.
    package func encode(lines text: [UInt8], _ remedy: Remedy) -> [UInt8] {
        guard remedy == .refuse else { return encode(text, remedy) ?? text }
        guard text.contains(where: { $0 >= 0x80 }) else { return text }
        var told: [UInt8] = []
        var start = text.startIndex
        while start < text.endIndex {
            let end = text[start...].firstIndex(of: .lineFeed).map { $0 + 1 } ?? text.endIndex
            told += encode(Array(text[start..<end]), .refuse) ?? []
            start = end
        }
        return told
    }

    /// Takes UTF-8 apart, and writes it in this encoding.
    private func transcode(_ text: [UInt8], _ remedy: Remedy) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            let (found, count) = Self.scalar(in: text, at: index)
            let piece = text[index..<(index + count)]
            index += count
            if let found, let told = bytes(of: found, piece) {
                output += told
                continue
            }
            switch remedy {
            case .pass: output += piece
            case .refuse: return nil
            case .replace: output += self == .utf8 ? [0xEF, 0xBF, 0xBD] : [UInt8(ascii: "?")]
            case .ignore: break
            }
        }
        return output
    }

    /// The character at a place of UTF-8, and its bytes; `nil` and one where none is.
    private static func scalar(in text: [UInt8], at index: Int) -> (Unicode.Scalar?, Int) {
        let lead = text[index]
        guard lead >= 0x80 else { return (Unicode.Scalar(lead), 1) }
        let count = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        guard count <= text.count - index,
            let valid = String(validating: text[index..<(index + count)], as: UTF8.self)
        else { return (nil, 1) }
        return (valid.unicodeScalars.first, count)
    }

    /// A character in this encoding; `utf8` is what it is in that one.
    private func bytes(of scalar: Unicode.Scalar, _ utf8: ArraySlice<UInt8>) -> [UInt8]? {
        switch self {
        case .utf8: return Array(utf8)
        case .latin1: return UInt8(exactly: scalar.value).map { [$0] }
        case .windows1252:
            if let place = Self.windows.firstIndex(of: UInt16(clamping: scalar.value)) {
                return [0x80 + UInt8(place)]
            }
            guard let byte = UInt8(exactly: scalar.value), !(0x80..<0xA0).contains(byte) else {
                return nil
            }
            return [byte]
        }
    }

    private func scalar(of byte: UInt8) -> Unicode.Scalar {
        guard self == .windows1252, (0x80..<0xA0).contains(byte) else {
            return Unicode.Scalar(byte)
        }
        return Unicode.Scalar(Self.windows[Int(byte) - 0x80]) ?? Unicode.Scalar(byte)
    }

    /// What Windows-1252 has from 0x80 to 0x9F; the five that it leaves free are the controls that
    /// they are elsewhere (as in the Encoding Standard of the WHATWG).
    private static let windows: [UInt16] = [
        0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
        0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
        0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
        0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
    ]
}
