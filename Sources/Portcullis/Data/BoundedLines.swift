/// Lines of one kind about strangers at one port: the first few, and at the end how many more.
///
/// Whoever can connect could fill the log otherwise.
struct BoundedLines {
    private static let maximumCount = 3

    private var count = 0

    /// Whether one more may be written.
    mutating func admitsOne() -> Bool {
        if count < .max { count += 1 }
        return count <= Self.maximumCount
    }

    /// How many were not written; from here on counted anew.
    mutating func takeRest() -> Int {
        defer { count = 0 }
        return max(0, count - Self.maximumCount)
    }
}
