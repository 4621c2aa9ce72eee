internal import LinuxSystem

/// Notices a transfer that is slower than it has to be (`min_rate`, `min_rate_period`).
struct TransferWatch {
    private let minimumByteCount: Int64
    private let period: Duration
    private var end: Deadline
    private var start: Int64 = 0

    /// Begins to watch; `nil` when no rate is asked for.
    init?(_ rates: Configuration.Rates) {
        guard rates.minimum > 0 else { return nil }
        let seconds = max(1, rates.minimumPeriod.components.seconds)
        let (count, overflow) = Int64(rates.minimum).multipliedReportingOverflow(by: seconds)
        minimumByteCount = overflow ? .max : count
        period = .seconds(seconds)
        end = Deadline(after: period)
    }

    /// When to look next.
    var deadline: Deadline { end }

    /// Looks whether the period that has just ended was too slow, and begins the next one.
    ///
    /// - Parameter byteCount: What the network has carried so far.
    /// - Returns: Whether it was; `false` while the period goes on.
    mutating func isTooSlow(_ byteCount: @autoclosure () -> Int64) -> Bool {
        guard end.hasPassed else { return false }
        let count = byteCount()
        let moved = count - start
        restart(count)
        return moved < minimumByteCount
    }

    /// Begins a new period, because we ourselves have held the transfer up.
    mutating func restart(_ byteCount: Int64) {
        start = byteCount
        end = Deadline(after: period)
    }
}
