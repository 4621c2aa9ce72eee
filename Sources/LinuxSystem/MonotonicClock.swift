internal import Glibc

/// The clock that nobody sets (`CLOCK_MONOTONIC`), the same for every process.
package enum MonotonicClock {
    /// What it shows, in nanoseconds.
    package static var nanoseconds: Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// The same in milliseconds.
    package static var milliseconds: Int64 { nanoseconds / 1_000_000 }
}
