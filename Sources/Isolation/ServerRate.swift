/// What Sessions and Wardens agree on about the rate of the whole server (`server_max_rate`).
package enum ServerRate {
    /// The most that is charged at a time: what the rate allows in a twentieth of a second, and a
    /// piece of the smallest size all the same.
    ///
    /// - Parameter rate: Bytes per second for everybody.
    /// - Returns: A number of bytes.
    package static func pieceByteCount(_ rate: Int) -> Int { max(512, rate / 20) }
}
