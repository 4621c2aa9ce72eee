/// Decimal numbers as FTP writes them.
package enum DecimalNumber {
    /// Reads a number that consists of ASCII digits alone.
    ///
    /// No sign, no blanks, no separators.
    ///
    /// - Returns: `nil` when `bytes` is empty, holds another byte, or exceeds `Int64.max`.
    static func parse(_ bytes: some Sequence<UInt8>) -> Int64? {
        var value: Int64 = 0
        var isEmpty = true
        for byte in bytes {
            guard let digit = digit(byte) else { return nil }
            let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
            guard !overflowed else { return nil }
            let (sum, carried) = product.addingReportingOverflow(Int64(digit))
            guard !carried else { return nil }
            value = sum
            isEmpty = false
        }
        return isEmpty ? nil : value
    }

    /// The same for other modules, where what is generic has Swift's runtime make types in every session.
    package static func parse(_ bytes: [UInt8]) -> Int64? { parse(bytes[...]) }

    /// Whether `bytes` consists of digits alone, however large the number.
    static func isDigits(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { digit($0) != nil }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        return byte &- UInt8(ascii: "0")
    }
}

/// The argument of REST in stream mode (RFC 3659 section 5.3).
package enum RestartOffset {
    /// Reads the offset at which the next transfer shall start.
    ///
    /// - Returns: `nil` unless `bytes` is a plain decimal number of at most `Int64.max`.
    package static func parseOffset(_ bytes: [UInt8]) -> Int64? {
        DecimalNumber.parse(bytes)
    }
}
