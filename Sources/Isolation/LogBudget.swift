internal import LinuxSystem

/// Bounds how many lines a Session may add to the log, so that it cannot drown others' lines.
struct LogBudget {
    private let lineCount: Int
    private let period: Duration
    private var left: Int
    private var periodEnd: Deadline

    /// Lines dropped in this period, of which nothing has been said yet.
    private(set) var dropped = 0

    /// Begins a first period of `lineCount` lines.
    init(lineCount: Int = 500, period: Duration = .seconds(10)) {
        self.lineCount = lineCount
        self.period = period
        left = lineCount
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
            self = LogBudget(lineCount: lineCount, period: period)
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

    /// Takes one line out of the budget, unless it is used up.
    ///
    /// - Parameter report: Told before the first line that is written again how many were dropped.
    /// - Returns: Whether to write the line.
    mutating func admits(_ report: (Int) -> Void) -> Bool {
        switch spend() {
        case .drop: return false
        case .writeAfterDropping(let count): report(count)
        case .write: break
        }
        return true
    }

    /// Takes one line out of the budget, and waits for the next period where this one's is used up.
    ///
    /// - Parameter wait: Waits until then; may give up before.
    mutating func spendPatiently(_ wait: (Deadline) -> Void) {
        if left == 0, !periodEnd.hasPassed { wait(periodEnd) }
        _ = spend()
    }

    /// Counts a line that was dropped for another reason.
    mutating func noteDropped() {
        dropped += 1
    }
}
