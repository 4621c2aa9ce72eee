internal import Glibc

/// A point on the monotonic clock after which something is given up.
///
/// Uses `CLOCK_MONOTONIC`, so that setting the wall clock neither ends nor extends a session.
package struct Deadline: Hashable, Sendable, Comparable {
    private let nanoseconds: UInt64

    /// A deadline that never passes.
    package static let never = Deadline(nanoseconds: .max)

    /// A deadline that has passed: look, and do not wait.
    package static let passed = Deadline(nanoseconds: 0)

    private init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The point `duration` from now; a negative duration has passed already.
    package init(after duration: Duration) {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else {
            self.init(nanoseconds: 0)
            return
        }
        // More than three centuries are as good as never, and cannot overflow below.
        guard seconds < 10_000_000_000 else {
            self = .never
            return
        }
        let span = UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
        self.init(nanoseconds: Self.now + span)
    }

    private static var now: UInt64 { UInt64(MonotonicClock.nanoseconds) }

    /// Whether the point lies behind.
    package var hasPassed: Bool { nanoseconds <= Self.now }

    /// Nanoseconds left, never negative, and more than three centuries for never.
    package var nanosecondsLeft: UInt64 {
        let now = Self.now
        return nanoseconds > now ? nanoseconds - now : 0
    }

    /// Milliseconds left, rounded up and never negative, as `poll(2)` takes them; -1 for never.
    package var pollTimeout: CInt {
        guard self != .never else { return -1 }
        let now = Self.now
        guard nanoseconds > now else { return 0 }
        let milliseconds = (nanoseconds - now + 999_999) / 1_000_000
        return CInt(clamping: milliseconds)
    }

    /// The earlier of two points comes first.
    package static func < (left: Deadline, right: Deadline) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}

/// Seconds since 1970 on the wall clock.
package func secondsSinceEpoch() -> Int64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec)
}

/// Seconds since 1970 on the wall clock, and the microseconds that have passed since.
package func microsecondsSinceEpoch() -> (seconds: Int64, microseconds: Int) {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return (Int64(time.tv_sec), Int(time.tv_nsec / 1_000))
}

/// Sleeps for `duration`; a signal may end it early.
///
/// Wraps `nanosleep(2)`.
package func sleep(for duration: Duration) {
    let (seconds, attoseconds) = duration.components
    guard seconds > 0 || attoseconds > 0 else { return }
    var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    _ = unsafe nanosleep(&time, nil)
}

/// Seconds that local time is ahead of UTC at `time`.
///
/// Wraps `localtime_r(3)`. Call ``loadTimeZone()`` before the process loses its files.
package func localTimeOffset(at time: Int64) -> Int64 {
    var seconds = time_t(time)
    var fields = unsafe tm()
    guard unsafe localtime_r(&seconds, &fields) != nil else { return 0 }
    return unsafe Int64(fields.tm_gmtoff)
}

/// The moment at which local clocks show what UTC ones show at `time`.
///
/// An hour that local clocks show twice or never counts as they go before it.
package func momentOfLocalTime(_ time: Int64) -> Int64 {
    func minus(_ offset: Int64) -> Int64 {
        let (moment, overflowed) = time.subtractingReportingOverflow(offset)
        return overflowed ? time : moment
    }
    let guess = minus(localTimeOffset(at: time))
    return minus(localTimeOffset(at: guess))
}

/// Reads the time zone's file, so that later calls open nothing.
package func loadTimeZone() {
    tzset()
    _ = localTimeOffset(at: secondsSinceEpoch())
}
