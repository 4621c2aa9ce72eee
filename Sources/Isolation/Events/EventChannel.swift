package import LinuxSystem
package import Logging

/// The way to the process that keeps events until somebody has acted on them.
///
/// Whoever has it can wait for that process and cannot be answered, so that nothing comes back from
/// code that the program has written.
package final class EventChannel {
    private let socket: MessageSocket

    /// What hangs up when the last event was acted on; in the program's own process alone.
    private let rest: Pipe

    /// What acts on events.
    package struct Settings: Sendable {
        /// Whose rights it has; `nil` for the program's.
        package var account: SystemAccount?
        /// What is called for each event, one after the other.
        package var act: @Sendable (EventReport) -> Void

        /// Creates settings.
        package init(account: SystemAccount?, act: @escaping @Sendable (EventReport) -> Void) {
            self.account = account
            self.act = act
        }
    }

    private init(_ socket: consuming MessageSocket, _ rest: consuming Pipe) {
        self.socket = socket
        self.rest = rest
    }

    /// Starts the process that keeps events, and by it the one that acts on them.
    ///
    /// It is no child of this process: it ends by itself when nobody can report any more and every
    /// event was acted on.
    package static func start(
        _ settings: Settings,
        logger: Logger
    ) throws(SystemError) -> EventChannel {
        let pair = try MessageSocket.makePair()
        var rest = try Pipe()
        switch try DaemonProcess.fork() {
        case .child:
            guard case .child = try? DaemonProcess.fork() else { DaemonProcess.exit(0) }
            EventKeeper.run(pair.takeSecond(), rest, settings, logger)
        case .parent(let process):
            _ = DaemonProcess.reap(process, waits: true)
            rest.closeInput()
            return EventChannel(pair.takeFirst(), rest)
        }
    }

    /// The descriptor that a process has to keep in order to report.
    var number: CInt { socket.descriptor.number }

    /// Reports an event; waits where very many of them wait already, so that none is lost.
    func send(_ report: EventReport) throws(SystemError) {
        try socket.send(report.encoded)
    }

    /// Reports nothing more, and waits until every event was acted on.
    ///
    /// - Returns: `false` when the time was over before that.
    package func finish(until deadline: Deadline) -> Bool {
        socket.endSending()
        var entries = [PollEntry(rest.output.number)]
        while !deadline.hasPassed {
            _ = try? poll(&entries, until: deadline)
            if entries[0].hasHungUp { return true }
        }
        return false
    }
}
