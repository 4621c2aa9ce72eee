internal import CLinux

/// Many descriptors that a process waits to read from, at a cost that does not grow with their number.
///
/// Wraps `epoll(7)`. The set itself is readable as long as one of them is.
package final class WaitSet {
    private static let pieceCount = 64

    private let descriptor: OwnedDescriptor

    /// How many there are.
    package private(set) var count = 0

    /// Makes a set without any.
    package init() throws(SystemError) {
        descriptor = OwnedDescriptor(owning: try checked("epoll_create1", CLinux_make_wait_set()))
    }

    /// What to wait for with `poll(2)`.
    package var pollEntry: PollEntry { PollEntry(descriptor.number, reading: true) }

    /// Waits for `number` as well, which stays the caller's, and reports it as `key`.
    package func add(_ number: CInt, as key: CInt) throws(SystemError) {
        try checked("epoll_ctl", CLinux_add_to_wait_set(descriptor.number, number, key))
        count += 1
    }

    /// Waits for `number` no more; to be called before it is closed.
    package func remove(_ number: CInt) {
        if CLinux_remove_from_wait_set(descriptor.number, number) == 0 { count -= 1 }
    }

    /// The keys of those that can be read from now, or at the other end of which nobody is any more; not
    /// all of them, where there are many.
    package func ready() -> [CInt] {
        var keys = [CInt](repeating: 0, count: Self.pieceCount)
        let count = unsafe CLinux_ready_in_wait_set(descriptor.number, &keys, CInt(keys.count))
        return [CInt](keys.prefix(max(0, Int(count))))
    }
}
