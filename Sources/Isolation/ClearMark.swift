internal import Logging

/// What stands in each log line about a session without TLS: `tls=no`.
enum ClearMark {
    static let key = "tls"
    static let value: Logger.MetadataValue = "no"
}
