package import LinuxSystem
internal import Synchronization

/// Functions to be called later.
package final class TimerQueue: Sendable {
    /// One of them, which can be called off.
    package struct Call: Sendable, Hashable {
        fileprivate let number: UInt64
    }

    private struct Entry: Sendable {
        let number: UInt64
        let time: Deadline
        let body: @Sendable () -> Void
    }

    private struct State {
        var entries: [Entry] = []
        var nextNumber: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Creates an empty queue.
    package init() {}

    /// When the next one is due.
    var next: Deadline { state.withLock { $0.entries.map(\.time).min() } ?? .never }

    /// Has `body` called at `time`.
    package func add(_ time: Deadline, _ body: @escaping @Sendable () -> Void) -> Call {
        state.withLock { state in
            state.nextNumber += 1
            state.entries.append(Entry(number: state.nextNumber, time: time, body: body))
            return Call(number: state.nextNumber)
        }
    }

    /// Calls one off; does nothing when it was called.
    package func cancel(_ call: Call) {
        state.withLock { $0.entries.removeAll { $0.number == call.number } }
    }

    /// Calls those that are due, in their order.
    func runDue() {
        let due = state.withLock { state in
            let due = state.entries.filter(\.time.hasPassed).sorted { $0.time < $1.time }
            let numbers = Set(due.map(\.number))
            state.entries.removeAll { numbers.contains($0.number) }
            return due
        }
        for entry in due { entry.body() }
    }
}
