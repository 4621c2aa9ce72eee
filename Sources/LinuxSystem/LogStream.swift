internal import CLinux
internal import Glibc
internal import Synchronization

/// Standard error as a place for log lines that nobody ever waits for long.
///
/// The disk behind it may be full, and the program that reads it may have stopped or ended: then
/// lines are lost, and the server goes on.
package final class LogStream: TextOutputStream, Sendable {
    /// How long the first line waits that finds no room; later ones do not.
    private static let patience: Duration = .milliseconds(100)

    private let lostCount = Atomic<Int>(0)

    /// Whether lines say how much they matter, for the journal.
    private let marksPriorities: Bool

    /// Writes to standard error from now on.
    ///
    /// A pipe is opened once more for this process alone: others may rely on waiting for it.
    package init() {
        // Before the pipe is opened anew, though that is the same file.
        marksPriorities = JournalPriority.isWanted
        _ = CLinux_make_log_nonblocking()
    }

    /// Writes a line, or as much of it as there is room for.
    package func write(_ line: String) {
        let lost = lostCount.load(ordering: .relaxed)
        if lost > 0 {
            let mark = marksPriorities ? JournalPriority.warning.mark : ""
            guard put("\(mark)log lines of this process lost: \(lost)\n", waits: false) else {
                lostCount.add(1, ordering: .relaxed)
                return
            }
            lostCount.store(0, ordering: .relaxed)
        }
        let mark = marksPriorities ? JournalPriority(ofLine: line).mark : ""
        if !put(mark + line, waits: true) { lostCount.add(1, ordering: .relaxed) }
    }

    /// Writes all of `line`, or says that it did not.
    private func put(_ line: String, waits: Bool) -> Bool {
        var line = line
        let deadline = Deadline(after: waits ? Self.patience : .zero)
        return line.withUTF8 { bytes in
            var written = 0
            while written < bytes.count {
                let rest = unsafe UnsafeRawBufferPointer(
                    rebasing: UnsafeRawBufferPointer(bytes)[written...]
                )
                let result = unsafe CLinux_write_log(rest.baseAddress, rest.count)
                if result > 0 {
                    written += result
                    continue
                }
                guard result == -Int(EAGAIN), !deadline.hasPassed else { return false }
                var entries = [PollEntry(STDERR_FILENO, reading: false, writing: true)]
                _ = try? poll(&entries, until: deadline)
            }
            return true
        }
    }
}
