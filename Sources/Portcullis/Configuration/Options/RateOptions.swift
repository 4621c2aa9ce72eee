extension ConfigurationOption {
    /// How fast transfers may be, and have to be.
    static let rates: [ConfigurationOption] = [
        .number("local_max_rate", 0...Int.max, sets: \.rates.local),
        .number("anon_max_rate", 0...Int.max, sets: \.rates.anonymous),
        .number("upload_max_rate", 0...Int.max, sets: \.rates.upload),
        .number("download_max_rate", 0...Int.max, sets: \.rates.download),
        .number("user_max_rate", 0...Int.max, sets: \.rates.user),
        .number("server_max_rate", 0...Int.max, sets: \.rates.server),
        .number("trans_chunk_size", 0...Int.max) { (draft, value) in
            // As in vsftpd, where less than that would only cost time.
            let smallest = 4_096
            draft.configuration.rates.pieceByteCount = value == 0 ? 0 : max(smallest, value)
            if value > 0, value < smallest {
                draft.remark = "\(value) is too small, and \(smallest) takes its place"
            }
        },
        .number("min_rate", 0...Int.max, sets: \.rates.minimum),
        .seconds("min_rate_period", 1...86_400, sets: \.rates.minimumPeriod),
    ]
}
