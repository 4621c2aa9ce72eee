// How lines of listings are put together: in room that is asked for once per line, for asking at each
// byte costs more than the byte.

extension [UInt8] {
    /// Appends a line of NLST: a name, and for `ls -F` the sign of its kind.
    ///
    /// NUL, CR and LF show as `?`.
    package mutating func appendNameLine(
        _ name: ArraySlice<UInt8>,
        behind prefix: [UInt8] = [],
        sign: UInt8? = nil
    ) {
        append(addingCapacity: prefix.count + name.count + 3) { line in
            line.append(name: prefix[...])
            line.append(name: name)
            if let sign { line.append(sign) }
            line.appendLineEnd()
        }
    }

    /// Appends a name in which a line end cannot be mistaken for the end of the entry.
    mutating func append(name: [UInt8]) {
        append(addingCapacity: name.count) { $0.append(name: name[...]) }
    }
}

extension OutputSpan<UInt8> {
    /// Appends a name in which a line end cannot be mistaken for the end of the entry.
    mutating func append(name: ArraySlice<UInt8>) {
        for byte in name {
            let isForbidden = byte == 0 || byte == .carriageReturn || byte == .lineFeed
            append(isForbidden ? UInt8(ascii: "?") : byte)
        }
    }

    mutating func appendLineEnd() {
        append(.carriageReturn)
        append(.lineFeed)
    }

    /// Appends the ASCII of a literal.
    mutating func append(ascii text: StaticString) {
        text.withUTF8Buffer { bytes in
            for index in bytes.indices { append(unsafe bytes[index]) }
        }
    }

    /// Appends `value` in decimal, right aligned in `width` columns.
    mutating func appendDecimal(_ value: UInt64, width: Int = 0, padding: UInt8 = .space) {
        var rest = value
        var digits: InlineArray<20, UInt8> = .init(repeating: 0)
        var first = 20
        repeat {
            first -= 1
            digits[first] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        for _ in 0..<Swift.max(0, width - (20 - first)) { append(padding) }
        while first < 20 {
            append(digits[first])
            first += 1
        }
    }

    /// Appends the last two digits of a number.
    mutating func appendTwoDigits(_ value: Int) {
        let number = value.magnitude % 100
        append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number / 10))
        append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number % 10))
    }

    /// Appends the last four digits of a number.
    mutating func appendFourDigits(_ value: Int) {
        appendTwoDigits(value / 100)
        appendTwoDigits(value)
    }

    /// Appends `value` in lower-case hexadecimal.
    mutating func appendHexadecimal(_ value: UInt64) {
        var shift = Swift.max(0, (63 - value.leadingZeroBitCount) / 4 * 4)
        while shift >= 0 {
            append(UInt8.hexadecimalDigit(UInt8(truncatingIfNeeded: value >> UInt64(shift) & 0xF)))
            shift -= 4
        }
    }
}
