internal import Glibc

/// One descriptor that a process waits for, and what happened to it.
package struct PollEntry {
    fileprivate var raw: pollfd

    /// Waits for `number`, which stays the caller's.
    package init(_ number: CInt, reading: Bool = false, writing: Bool = false) {
        raw = pollfd(
            fd: number,
            events: Int16((reading ? POLLIN : 0) | (writing ? POLLOUT : 0)),
            revents: 0
        )
    }

    /// An entry that never reports anything.
    package static let none = PollEntry(-1)

    /// A read would not block: there are bytes, an end, or an error to fetch.
    package var isReadable: Bool { raw.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 }

    /// There are bytes to read, whether the other end is still there or not.
    package var hasInput: Bool { raw.revents & Int16(POLLIN) != 0 }

    /// A write would not block, or would report an error.
    package var isWritable: Bool { raw.revents & Int16(POLLOUT | POLLHUP | POLLERR) != 0 }

    /// The other end is gone.
    package var hasHungUp: Bool { raw.revents & Int16(POLLHUP | POLLERR) != 0 }
}

/// Waits until one of `entries` has something to report or `deadline` passes.
///
/// Wraps `poll(2)`. A signal ends the wait early, with 0 entries ready.
///
/// - Returns: The number of entries that have something to report.
package func poll(_ entries: inout [PollEntry], until deadline: Deadline) throws(SystemError) -> Int
{
    for index in entries.indices { entries[index].raw.revents = 0 }
    let timeout = deadline.pollTimeout
    let count = unsafe entries.withUnsafeMutableBytes {
        // SAFETY: an entry is its pollfd and nothing else.
        unsafe Glibc.poll(
            $0.baseAddress?.assumingMemoryBound(to: pollfd.self),
            nfds_t($0.count / MemoryLayout<pollfd>.stride),
            timeout
        )
    }
    guard count >= 0 else {
        guard errno == EINTR else { throw SystemError("poll") }
        return 0
    }
    return Int(count)
}
