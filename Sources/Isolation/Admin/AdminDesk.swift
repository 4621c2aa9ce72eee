internal import Glibc
package import LinuxSystem
internal import Logging

/// Who may use the admin socket, and what confines the process that reads it.
package struct AdminSettings: Sendable {
    /// Whoever is a member may ask, besides root (`admin_group`).
    package var group: UInt32

    /// The ids of the process; `nil` without root.
    package var unprivileged: Credentials?

    /// What comes of system calls that it has no use for.
    package var systemCalls: SystemCallPolicy

    /// Describes a desk.
    package init(group: UInt32, unprivileged: Credentials?, systemCalls: SystemCallPolicy) {
        self.group = group
        self.unprivileged = unprivileged
        self.systemCalls = systemCalls
    }
}

/// The Listener's side of the admin socket.
///
/// The Clerk reads what people send. What reaches this process has a fixed form and is read as if the
/// Clerk were somebody else's.
package final class AdminDesk {
    private let socket: LocalSocket
    private let settings: AdminSettings
    private var channel: MessageSocket?
    private var kept = KeptProcess()

    /// Takes over the socket that people connect to.
    package init(_ socket: LocalSocket, _ settings: AdminSettings) {
        self.socket = socket
        self.settings = settings
    }

    /// What to wait for.
    var pollEntry: PollEntry {
        guard let number = channel?.descriptor.number else { return .none }
        return PollEntry(number, reading: true)
    }

    /// The Clerk, while there is one.
    var process: CInt? { kept.number }

    /// When a Clerk is started again; never while there is one.
    var nextStart: Deadline { kept.nextStart }

    /// Starts the Clerk when there is none.
    ///
    /// - Returns: Whether one was started.
    func restore(_ logger: Logger) -> Bool {
        guard kept.isDue else { return false }
        do throws(SystemError) {
            let pair = try MessageSocket.makePair()
            switch try DaemonProcess.fork() {
            case .child: ClerkRole.run(socket, pair.takeSecond(), settings)
            case .parent(let process):
                kept.noteStart(process)
                channel = pair.takeFirst()
                return true
            }
        } catch {
            kept.noteEnd()
            logger.error("admin_socket: nobody answers there: \(error)")
            return false
        }
    }

    /// Takes note that a process has ended.
    ///
    /// - Returns: Whether it was the Clerk.
    func noteEnd(of process: CInt, _ logger: Logger) -> Bool {
        guard process == self.process else { return false }
        kept.noteEnd()
        channel = nil
        logger.error("the process that answers at admin_socket has ended; another one starts")
        return true
    }

    /// The next question of the Clerk; `nil` at its end, or where it has said what none of ours says.
    func receive(_ logger: Logger) -> AdminRequest? {
        do {
            guard let received = try channel?.receive() else {
                // Its end is told by its status as well.
                channel = nil
                return nil
            }
            var message = received
            guard message.takeDescriptor() == nil else { throw MessageError.wrongDescriptor }
            return try AdminRequest(decoding: message.bytes)
        } catch {
            noteViolation(error, logger)
            return nil
        }
    }

    /// Answers it; a page may come along.
    func send(_ answer: AdminAnswer, with page: PageBox? = nil, _ logger: Logger) {
        do throws(SystemError) {
            if let page {
                try channel?.sendNow(answer.encoded, with: page.descriptor)
            } else {
                try channel?.sendNow(answer.encoded)
            }
        } catch {
            noteViolation(error, logger)
        }
    }

    private func noteViolation(_ error: any Error, _ logger: Logger) {
        logger.error("violation on the admin channel: \(error)")
        channel = nil
        if let process { DaemonProcess.signal(process, SIGKILL) }
    }

    /// Ends the Clerk and removes the socket.
    func close() {
        channel = nil
        kept.end()
        socket.remove()
    }
}
