/// A part of a file.
package struct ByteRange: Hashable, Sendable {
    /// The offset of its first byte.
    package let start: Int64

    /// How many bytes it has at most; `nil` for all up to the end of the file.
    package let count: UInt64?

    /// Creates a part that begins at `start`.
    ///
    /// - Returns: `nil` when `start` is negative.
    package init?(start: Int64, count: UInt64? = nil) {
        guard start >= 0 else { return nil }
        self.start = start
        self.count = count
    }

    /// Creates the part before `end`.
    ///
    /// - Returns: `nil` when it would end before it begins.
    package init?(start: Int64, end: Int64) {
        guard start >= 0, end >= start else { return nil }
        self.init(start: start, count: UInt64(end - start))
    }

    /// The offset behind its last byte in a file of `size` bytes, or `nil` when it begins behind
    /// the end of that file.
    package func end(in size: Int64) -> Int64? {
        guard start <= size else { return nil }
        guard let count, count < UInt64(size - start) else { return size }
        return start + Int64(count)
    }
}

/// The argument of RANG (draft-bryan-ftp-range section 3.1).
package enum RangeArgument: Hashable, Sendable {
    /// `1 0`: the whole file again.
    case reset

    /// The offsets of the first byte and of the last.
    case range(first: Int64, last: Int64)

    /// Reads two numbers, each at most `Int64.max`.
    ///
    /// - Returns: `nil` when there are other things, or the last byte is before the first.
    package init?(argument: [UInt8]) {
        let words = argument.split(separator: .space, omittingEmptySubsequences: false)
        guard words.count == 2, let first = DecimalNumber.parse(words[0]),
            let last = DecimalNumber.parse(words[1])
        else { return nil }
        if first == 1, last == 0 {
            self = .reset
        } else {
            guard first <= last else { return nil }
            self = .range(first: first, last: last)
        }
    }

    /// The part that is meant, or `nil` for the whole file.
    package var part: ByteRange? {
        guard case .range(let first, let last) = self else { return nil }
        // The count of all 2^63 bytes does not fit into 63 bits.
        return ByteRange(start: first, count: UInt64(last - first) + 1)
    }
}
