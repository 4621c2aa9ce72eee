/// How MODE Z compresses (draft-preston-ftpext-deflate section 3.1).
package struct DeflateOptions: Hashable, Sendable {
    /// From 0, not at all, to 9, as small as possible.
    package private(set) var level = 6

    /// The level that zlib's authors chose.
    package init() {}

    /// Applies what follows `OPTS MODE Z`: names and values in turn, such as `LEVEL 9`.
    ///
    /// The engine is ZLIB, its method 8 (RFC 1951); a client may say so.
    ///
    /// - Returns: `nil` when a name is unknown, or a value not possible.
    package func applying(_ argument: [UInt8]) -> DeflateOptions? {
        let words = argument.split(separator: .space).map { Array($0).keyword }
        guard words.count.isMultiple(of: 2), !words.isEmpty else { return nil }
        var options = self
        for index in stride(from: 0, to: words.count, by: 2) {
            let value = words[index + 1]
            switch words[index] {
            case "ENGINE": guard value == "ZLIB" else { return nil }
            case "METHOD": guard value == "8" else { return nil }
            case "LEVEL":
                guard let level = DecimalNumber.parse(value.utf8), level <= 9 else { return nil }
                options.level = Int(level)
            default: return nil
            }
        }
        return options
    }
}
