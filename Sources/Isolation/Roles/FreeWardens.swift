internal import LinuxSystem

/// Wardens whose session is over, and which wait for another one.
///
/// Few, and not for long: what they save is the start and the end of a process where clients come one
/// after the other.
struct FreeWardens {
    /// How many wait at most.
    private static let maximumCount = 8

    /// How long each waits.
    private static let patience: Duration = .seconds(1)

    /// Those that wait, and until when; the last to come at the end.
    private var waiting: [(warden: WardenProcess, deadline: Deadline)] = []

    /// Processes that were forked from this one as it is now, with its settings.
    private var current: Set<CInt> = []

    /// Processes that have been told to end.
    private var leaving: Set<CInt> = []

    /// All that wait, and those that have not ended yet.
    var processes: [CInt] { waiting.map(\.warden.number) + leaving }

    /// Whether none waits or is on its way out.
    var isEmpty: Bool { waiting.isEmpty && leaving.isEmpty }

    /// When ``endLate()`` has something to do.
    var next: Deadline { waiting.first?.deadline ?? .never }

    /// Notes that a process was forked.
    mutating func noteStart(_ process: CInt) {
        current.insert(process)
    }

    /// Keeps a Warden whose session is over, or has it end.
    mutating func add(_ warden: WardenProcess) {
        guard warden.isReachable, current.contains(warden.number),
            waiting.count < Self.maximumCount
        else {
            leaving.insert(warden.number)
            return
        }
        waiting.append((warden, Deadline(after: Self.patience)))
    }

    /// Has those end that have waited long enough.
    mutating func endLate() {
        while let first = waiting.first, first.deadline.hasPassed {
            leaving.insert(first.warden.number)
            waiting.removeFirst()
        }
    }

    /// Hands a connection over.
    ///
    /// - Returns: Who has it; `nil` where nobody waits.
    mutating func place(_ connection: borrowing WardenConnection) -> WardenProcess? {
        // The last to come first: more of what it needs is at hand, and the others may go in time.
        while let (warden, _) = waiting.popLast() {
            if warden.hand(over: connection) { return warden }
            // It has ended, of which the kernel will tell.
            leaving.insert(warden.number)
        }
        return nil
    }

    /// Has all of them end, and every process that was forked until now once its session is over.
    mutating func retire() {
        leaving.formUnion(waiting.map(\.warden.number))
        waiting = []
        current = []
    }

    /// Forgets a process that has ended.
    ///
    /// - Returns: Whether it was one of these.
    mutating func remove(_ process: CInt) -> Bool {
        current.remove(process)
        if leaving.remove(process) != nil { return true }
        guard let index = waiting.firstIndex(where: { $0.warden.number == process }) else {
            return false
        }
        waiting.remove(at: index)
        return true
    }
}

/// The process of a Warden, and the channel to it.
final class WardenProcess {
    /// The process.
    let number: CInt

    private var channel: MessageSocket?

    init(_ number: CInt, _ channel: consuming MessageSocket?) {
        self.number = number
        self.channel = consume channel
    }

    /// Whether there is a channel.
    var isReachable: Bool { channel != nil }

    /// Gives the channel up, to follow a session by it.
    func takeChannel() -> MessageSocket? { channel.take() }

    /// Sends a connection; `false` where nobody takes it.
    fileprivate func hand(over connection: borrowing WardenConnection) -> Bool {
        do throws(SystemError) {
            guard channel != nil else { return false }
            try channel?.sendNow(connection.encoded, withAll: connection.descriptorNumbers)
            return true
        } catch {
            return false
        }
    }
}
