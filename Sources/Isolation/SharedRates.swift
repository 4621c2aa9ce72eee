/// What Sessions and Wardens agree on about rates that several sessions share (`user_max_rate`,
/// `server_max_rate`).
package enum SharedRates {
    /// The most that is charged at a time: what the lowest rate allows in a twentieth of a second,
    /// and a piece of the smallest size all the same.
    ///
    /// - Parameter rates: Bytes per second for all who share; 0 for any.
    /// - Returns: A number of bytes.
    package static func pieceByteCount(_ rates: [Int]) -> Int {
        max(512, (rates.filter { $0 > 0 }.min() ?? 0) / 20)
    }
}
