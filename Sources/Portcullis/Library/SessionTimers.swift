internal import LinuxSystem

/// What a session was asked to do later, between two other things.
final class SessionTimers {
    private var entries: [(number: Int, time: Deadline, body: () -> Void)] = []
    private var lastNumber = 0

    /// When the next one is due.
    var next: Deadline { entries.map(\.time).min() ?? .never }

    func add(_ time: Deadline, _ body: @escaping () -> Void) -> Int {
        lastNumber += 1
        entries.append((lastNumber, time, body))
        return lastNumber
    }

    func cancel(_ number: Int) { entries.removeAll { $0.number == number } }

    func runDue() {
        guard !entries.isEmpty else { return }
        let due = entries.filter(\.time.hasPassed).sorted {
            ($0.time, $0.number) < ($1.time, $1.number)
        }
        entries.removeAll { entry in due.contains { $0.number == entry.number } }
        for entry in due { entry.body() }
    }
}

/// Something that is to be done later, and can be called off (``FTPHandler/callLater(after:_:)``).
public struct SessionTimer: Sendable, Hashable {
    let number: Int
}
