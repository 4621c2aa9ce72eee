extension Configuration {
    /// How fast transfers may be, and have to be; in bytes per second, 0 for any rate.
    package struct Rates: Sendable {
        /// For one session of a user who is not anonymous (`local_max_rate`).
        package var local = 0
        /// For one session of an anonymous user (`anon_max_rate`).
        package var anonymous = 0
        /// For the uploads of one session (`upload_max_rate`).
        package var upload = 0
        /// For the downloads and listings of one session (`download_max_rate`).
        package var download = 0
        /// For all sessions of one user together (`user_max_rate`).
        package var user = 0
        /// For all transfers of the server together (`server_max_rate`).
        package var server = 0
        /// The most bytes moved in one go while a rate holds; 0 for any (`trans_chunk_size`).
        package var pieceByteCount = 0
        /// The rate below which a transfer fails (`min_rate`).
        package var minimum = 0
        /// The time over which that is measured (`min_rate_period`).
        package var minimumPeriod: Duration = .seconds(30)
    }
}
