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
