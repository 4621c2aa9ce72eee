internal import CLinux
internal import Glibc

/// Ends this process by SIGKILL unless it is called off in time (timer_create(2)).
///
/// For calls into libraries that may never come back: no signal handler or mask of theirs can keep
/// this timer from its work.
package enum KillTimer {
    /// Starts the timer, or starts it over.
    ///
    /// - Throws: ``SystemError``, when there is no room for a timer.
    package static func start(_ duration: Duration) throws(SystemError) {
        let seconds = CUnsignedInt(clamping: max(1, duration.components.seconds))
        try checked("timer_create", CLinux_set_kill_timer(seconds))
    }

    /// Calls the timer off.
    package static func stop() {
        _ = CLinux_set_kill_timer(0)
    }
}

/// Measures time on the monotonic clock.
package struct Stopwatch {
    private var start = MonotonicClock.nanoseconds

    /// Begins to measure.
    package init() {}

    /// What has passed, in nanoseconds.
    package var nanoseconds: UInt64 { UInt64(clamping: MonotonicClock.nanoseconds - start) }

    /// What has passed.
    package var duration: Duration { .nanoseconds(Int64(clamping: nanoseconds)) }

    /// What is left until a whole multiple of `period` has passed since the start.
    ///
    /// Whoever waits that long before an answer does not show how long the work before it took, as
    /// long as it took less than a period.
    package func restOfPeriod(_ period: Duration) -> Duration {
        guard period > .zero else { return .zero }
        let elapsed = Duration.nanoseconds(MonotonicClock.nanoseconds - start)
        var rest = period - elapsed
        while rest < .zero { rest += period }
        return rest
    }

    /// The point `duration` after the start.
    package func deadline(_ duration: Duration) -> Deadline {
        Deadline(after: duration - Duration.nanoseconds(MonotonicClock.nanoseconds - start))
    }
}
