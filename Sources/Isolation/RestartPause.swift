internal import Glibc
internal import LinuxSystem

/// How long to wait before a process that has ended is started again.
///
/// The pauses double from one second to a minute, and start over once a process has lasted longer
/// than that: one that cannot run costs next to nothing, and one that was killed is soon back.
struct RestartPause {
    private static let shortest: Duration = .seconds(1)
    private static let longest: Duration = .seconds(60)

    private let lasting: Duration
    private var pause = shortest
    private var proof = Deadline.never

    /// Starts with the shortest pause.
    ///
    /// - Parameter lasting: How long a process runs that has not failed.
    init(lasting: Duration = longest) {
        self.lasting = lasting
    }

    /// Notes that the process was started.
    mutating func noteStart() {
        proof = Deadline(after: lasting)
    }

    /// The pause from its end to the next start.
    mutating func next() -> Duration {
        if proof.hasPassed { pause = Self.shortest }
        proof = .never
        defer { pause = min(pause * 2, Self.longest) }
        return pause
    }
}

/// A process that is started again, after a pause, whenever it has ended.
struct KeptProcess {
    private var pause = RestartPause()
    private var next = Deadline.passed

    /// The process, while there is one.
    private(set) var number: CInt?

    /// When it is to be started; never while there is one.
    var nextStart: Deadline { number == nil ? next : .never }

    /// Whether it is to be started now.
    var isDue: Bool { nextStart.hasPassed }

    /// Notes that it was started.
    mutating func noteStart(_ process: CInt) {
        number = process
        pause.noteStart()
    }

    /// Notes that it has ended, or could not be started.
    ///
    /// - Returns: The pause before the next start.
    @discardableResult
    mutating func noteEnd() -> Duration {
        number = nil
        let delay = pause.next()
        next = Deadline(after: delay)
        return delay
    }

    /// Ends it, if there is one, for good.
    mutating func end() {
        if let number {
            DaemonProcess.signal(number, SIGKILL)
            _ = DaemonProcess.reap(number, waits: true)
        }
        number = nil
        next = .never
    }
}
