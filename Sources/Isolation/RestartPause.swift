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
