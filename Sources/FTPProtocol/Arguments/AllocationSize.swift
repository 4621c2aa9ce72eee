/// What ALLO announces (RFC 959 section 4.1.3).
package enum AllocationSize {
    /// Reads `size`, or `size R record-size`.
    ///
    /// The record size says nothing about a file that is a sequence of bytes (STRU F).
    ///
    /// - Returns: The number of bytes, or `nil` when the argument has another form or the number
    ///   exceeds `Int64.max`.
    package static func parse(_ argument: [UInt8]) -> Int64? {
        let words = argument.split(separator: .space)
        guard let first = words.first, let size = DecimalNumber.parse(first) else { return nil }
        switch words.count {
        case 1: return size
        case 3 where Array(words[1]).keyword == "R" && DecimalNumber.parse(words[2]) != nil:
            return size
        default: return nil
        }
    }
}
