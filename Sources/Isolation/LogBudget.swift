internal import LinuxSystem

/// Bounds how many lines a Session may add to the log, so that it cannot drown others' lines.
struct LogBudget {
    private static let linesPerPeriod = 500

    private let period: Duration
    private var left = LogBudget.linesPerPeriod
    private var dropped = 0
    private var periodEnd: Deadline

    /// Begins a first period.
    init(period: Duration = .seconds(10)) {
        self.period = period
        periodEnd = Deadline(after: period)
    }

    /// What to do with one more line.
    enum Verdict: Hashable {
        /// Write it.
        case write
        /// Write it, after saying how many were dropped.
        case writeAfterDropping(Int)
        /// Drop it.
        case drop
    }

    /// Takes one line out of the budget.
    mutating func spend() -> Verdict {
        if periodEnd.hasPassed {
            let count = dropped
            self = LogBudget(period: period)
            left -= 1
            return count > 0 ? .writeAfterDropping(count) : .write
        }
        guard left > 0 else {
            dropped += 1
            return .drop
        }
        left -= 1
        return .write
    }
}
