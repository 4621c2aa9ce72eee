/// The argument of XCRC, XMD5, XSHA and their kin: a path, then where to begin and where to end.
///
/// No standard says more. As other servers have it, the end is the offset behind the last byte, and
/// a path may stand between quotes, each quote in it doubled.
package struct DigestArgument: Hashable, Sendable {
    /// The path, byte for byte.
    package let path: [UInt8]

    /// The part that is meant; `nil` for the whole file.
    package let range: ByteRange?

    /// Reads an argument.
    ///
    /// `file 1 2` may be a name, or a name and two numbers: the caller takes the first one that
    /// exists.
    ///
    /// - Returns: What may be meant, the likeliest first; nothing when it makes no sense.
    package static func candidates(_ argument: [UInt8]) -> [DigestArgument] {
        if let (path, rest) = QuotedWord.first(of: argument), !path.isEmpty {
            let words = rest.split(separator: .space)
            switch (words.count, rest.first) {
            case (0, nil): return [DigestArgument(path: path, range: nil)]
            case (1...2, .space?):
                guard let range = range(words) else { return [] }
                return [DigestArgument(path: path, range: range)]
            default: return []
            }
        }
        guard !argument.isEmpty else { return [] }
        var candidates = [DigestArgument(path: argument, range: nil)]
        for count in [2, 1] {
            let words = argument.split(
                separator: .space,
                omittingEmptySubsequences: false
            )
            guard words.count > count, let range = range(words.suffix(count)) else { continue }
            let path = Array(words.dropLast(count).joined(separator: [UInt8.space]))
            if !path.isEmpty { candidates.append(DigestArgument(path: path, range: range)) }
        }
        return candidates
    }

    private static func range(_ words: [ArraySlice<UInt8>]) -> ByteRange? {
        guard let first = words.first, let start = DecimalNumber.parse(first) else { return nil }
        guard words.count > 1 else { return ByteRange(start: start) }
        guard let end = DecimalNumber.parse(words[1]) else { return nil }
        return ByteRange(start: start, end: end)
    }

    private static func range(_ words: ArraySlice<ArraySlice<UInt8>>) -> ByteRange? {
        range(Array(words))
    }
}

/// A word between quotes, each quote in it doubled.
package enum QuotedWord {
    /// Takes the first word off `bytes`.
    ///
    /// - Returns: `nil` when `bytes` does not begin with a quote, or no quote ends the word.
    package static func first(of bytes: [UInt8]) -> (word: [UInt8], rest: ArraySlice<UInt8>)? {
        let quote = UInt8(ascii: "\"")
        guard bytes.first == quote else { return nil }
        var word: [UInt8] = []
        var rest = bytes.dropFirst()
        while let byte = rest.popFirst() {
            if byte == quote {
                guard rest.first == quote else { return (word, rest) }
                rest = rest.dropFirst()
            }
            word.append(byte)
        }
        return nil
    }

    /// Takes two words apart that have one space between them; either may be quoted.
    ///
    /// - Returns: `nil` when there are fewer words, or more.
    package static func pair(_ bytes: [UInt8]) -> (first: [UInt8], second: [UInt8])? {
        let head: [UInt8]
        let rest: [UInt8]
        if let (word, remainder) = first(of: bytes) {
            guard remainder.first == .space else { return nil }
            (head, rest) = (word, Array(remainder.dropFirst()))
        } else {
            guard let space = bytes.firstIndex(of: .space) else { return nil }
            (head, rest) = (Array(bytes[..<space]), Array(bytes[(space + 1)...]))
        }
        let tail: [UInt8]
        if let (word, remainder) = first(of: rest) {
            guard remainder.isEmpty else { return nil }
            tail = word
        } else {
            guard !rest.contains(.space) else { return nil }
            tail = rest
        }
        return head.isEmpty || tail.isEmpty ? nil : (head, tail)
    }
}
