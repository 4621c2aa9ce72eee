internal import Glibc

/// Holds moved bytes down to a rate: the generic cell rate algorithm (ITU-T I.371) on
/// `CLOCK_MONOTONIC`.
///
/// The whole state is one number, the time at which everything moved so far is paid for. It can
/// therefore lie on a ``SharedPage`` and hold for several processes at once.
package final class RateLimiter {
    /// How far the rate may fall behind and still be made up for: a wait ends a little late.
    private static let tolerance: Int64 = 100_000_000

    /// What somebody else wrote on the page is believed up to here: about an hour ahead.
    private static let maximumAhead: Int64 = 3_600_000_000_000

    /// Bytes per second.
    package let rate: Int

    private let page: SharedPage?
    private let index: Int
    private var ownState: Int64

    /// Creates a limiter of one process.
    ///
    /// - Parameter rate: Bytes per second, at least 1.
    package convenience init(rate: Int) {
        self.init(rate: rate, page: nil, index: 0, state: MonotonicClock.nanoseconds)
    }

    /// Creates a limiter that shares its state with others at `index` of `page`.
    package convenience init(rate: Int, sharing page: SharedPage, at index: Int) {
        self.init(rate: rate, page: page, index: index, state: 0)
    }

    private init(rate: Int, page: SharedPage?, index: Int, state: Int64) {
        self.rate = max(1, rate)
        self.page = page
        self.index = index
        ownState = state
    }

    /// Charges `count` bytes that were moved.
    ///
    /// - Returns: When the next bytes may be moved.
    package func charge(_ count: Int) -> Deadline {
        let cost = cost(of: count)
        while true {
            let now = MonotonicClock.nanoseconds
            let old = page?.load(index) ?? ownState
            let paid = min(max(old, now - Self.tolerance), now + Self.maximumAhead)
            let next = paid + cost
            if let page {
                guard page.exchange(old, for: next, at: index) else { continue }
            } else {
                ownState = next
            }
            guard next > now else { return .passed }
            return Deadline(after: .nanoseconds(next - now))
        }
    }

    /// Charges `count` bytes unless somebody would have to wait for them.
    ///
    /// - Returns: Whether they may be moved, now.
    package func chargeIfDue(_ count: Int) -> Bool {
        let cost = cost(of: count)
        while true {
            let now = MonotonicClock.nanoseconds
            let old = page?.load(index) ?? ownState
            let next = min(max(old, now - Self.tolerance), now + Self.maximumAhead) + cost
            guard next <= now else { return false }
            guard let page else {
                ownState = next
                return true
            }
            if page.exchange(old, for: next, at: index) { return true }
        }
    }

    /// Nanoseconds that `count` bytes take.
    private func cost(of count: Int) -> Int64 {
        let (high, low) = UInt64(max(0, count)).multipliedFullWidth(by: 1_000_000_000)
        guard high < UInt64(rate) else { return Self.maximumAhead }
        let cost = UInt64(rate).dividingFullWidth((high, low)).quotient
        return min(Int64(clamping: cost), Self.maximumAhead)
    }
}
