package import LinuxSystem
internal import Synchronization

/// The thread that acts on events, one after the other, where sessions are threads.
package final class EventThread: Sendable {
    /// Events that may wait; who reports one more has to wait, too.
    private static let maximumCount = 100_000

    private struct State {
        var queue: [EventReport] = []
        var hasEnded = false
        var isDone = false
    }

    private let state = Mutex(State())
    private let wakeUp: WakeUp
    private let act: @Sendable (EventReport) -> Void

    /// Starts the thread.
    package init(_ act: @escaping @Sendable (EventReport) -> Void) throws(SystemError) {
        self.act = act
        wakeUp = try WakeUp()
        try DetachedThread.start("ftp-hooks") { [self] in run() }
    }

    /// Reports an event; waits where very many of them wait already, so that none is lost.
    package func send(_ report: EventReport) {
        while true {
            let isTaken = state.withLock { state in
                guard state.queue.count < Self.maximumCount else { return false }
                state.queue.append(report)
                return true
            }
            if isTaken { break }
            sleep(for: .milliseconds(20))
        }
        wakeUp.call()
    }

    private func run() {
        while true {
            let events = state.withLock { state in
                defer { state.queue = [] }
                return state.queue
            }
            for event in events { act(event) }
            guard events.isEmpty else { continue }
            if state.withLock({ $0.hasEnded && $0.queue.isEmpty }) { break }
            var entries = [PollEntry(wakeUp.pollNumber, reading: true)]
            _ = try? poll(&entries, until: .never)
            wakeUp.clear()
        }
        state.withLock { $0.isDone = true }
    }

    /// Takes no more events, and waits until every one was acted on.
    ///
    /// - Returns: `false` when the time was over before that.
    package func finish(until deadline: Deadline) -> Bool {
        state.withLock { $0.hasEnded = true }
        wakeUp.call()
        while !deadline.hasPassed {
            if state.withLock(\.isDone) { return true }
            sleep(for: .milliseconds(10))
        }
        return false
    }
}
