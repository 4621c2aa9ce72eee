internal import CLinux
internal import Glibc

/// Ends the `poll(2)` of other threads (`eventfd(2)`).
package final class WakeUp: Sendable {
    private let descriptor: OwnedDescriptor

    /// Makes one that wakes nobody yet.
    package init() throws(SystemError) {
        descriptor = OwnedDescriptor(owning: try checked("eventfd", CLinux_make_wake_up()))
    }

    /// What is readable from ``call()`` on, until ``clear()``.
    package var pollNumber: CInt { descriptor.number }

    /// Wakes whoever waits, now or later.
    package func call() {
        var one: UInt64 = 1
        // It fails where nobody has looked for 2^64 times, and is readable then all the same.
        _ = unsafe Glibc.write(descriptor.number, &one, 8)
    }

    /// Takes note of having been woken.
    package func clear() {
        var count: UInt64 = 0
        _ = unsafe Glibc.read(descriptor.number, &count, 8)
    }
}
