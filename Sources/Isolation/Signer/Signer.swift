internal import LinuxSystem
internal import SystemPackage

/// The process that keeps the private keys, as the Listener sees it.
package final class Signer {
    let process: CInt
    private let control: MessageSocket

    /// How long the process may take to say that it has a channel; it says so between two signatures.
    private static let patience: Duration = .seconds(3)

    /// How long a new channel may wait behind others.
    private static let crowdPatience: Duration = .milliseconds(50)

    private var unansweredCount = 0
    private var deadline = Deadline.never
    private var isSuspected = false

    private init(process: CInt, control: consuming MessageSocket) {
        self.process = process
        self.control = control
    }

    /// Starts the process and waits until it has read the keys.
    ///
    /// - Throws: ``SignerFailure``; of kind 255 when the process could not be started.
    package static func start(_ settings: SignerSettings) throws(SignerFailure) -> Signer {
        do {
            let pair = try MessageSocket.makePair()
            switch try DaemonProcess.fork() {
            case .child: SignerRole.run(pair.takeSecond(), settings)
            case .parent(let process):
                let control = pair.takeFirst()
                var report: [UInt8] = []
                if let message = try control.receive() { report = message.bytes }
                if let failure = SignerFailure(report: report) {
                    _ = DaemonProcess.reap(process, waits: true)
                    throw failure
                }
                return Signer(process: process, control: control)
            }
        } catch let failure as SignerFailure {
            throw failure
        } catch {
            throw SignerFailure(kind: .max, text: "\(error)")
        }
    }

    /// A channel for one Session to ask over; `nil` when the process is gone.
    func makeChannel() -> MessageSocket? {
        do {
            let pair = try MessageSocket.makePair()
            try pair.withSecond { (end) throws(SystemError) in try hand(over: end) }
            if unansweredCount == 0 { deadline = Deadline(after: Self.patience) }
            unansweredCount += 1
            return pair.takeFirst()
        } catch {
            return nil
        }
    }

    /// Has the process take the other end of a channel.
    ///
    /// A crowd of clients may come faster than it does that, and it cannot go on before its answers
    /// are read. Everybody waits meanwhile, so not long, and not for a process that may hang.
    private func hand(over end: borrowing OwnedDescriptor) throws(SystemError) {
        let deadline = Deadline(after: Self.crowdPatience)
        while true {
            do throws(SystemError) {
                try control.sendNow([1], with: end)
                return
            } catch {
                guard error.errno == .resourceTemporarilyUnavailable, !isSuspected,
                    !deadline.hasPassed
                else { throw error }
            }
            var entries = [PollEntry(pollNumber, reading: true, writing: true)]
            _ = try? poll(&entries, until: deadline)
            if entries[0].isReadable { noteAnswer() }
        }
    }

    /// The channel on which the process says that it lives, for `poll(2)`.
    var pollNumber: CInt { control.descriptor.number }

    /// When to look whether the process hangs.
    var nextLook: Deadline { deadline }

    /// Takes what the process has said.
    func noteAnswer() {
        // The end of the channel is the end of the process, which is noticed as such.
        guard let answer = try? control.receive(), answer.bytes == SignerRole.hasChannel else {
            unansweredCount = 0
            deadline = .never
            return
        }
        unansweredCount = max(0, unansweredCount - 1)
        deadline = unansweredCount > 0 ? Deadline(after: Self.patience) : .never
        isSuspected = false
    }

    /// Whether the process is there and does nothing.
    ///
    /// It is given its time twice: where the whole server stood still, this process may be the first
    /// to go on.
    func isHanging() -> Bool {
        guard deadline.hasPassed else { return false }
        guard !isSuspected else { return true }
        isSuspected = true
        deadline = Deadline(after: Self.patience)
        return false
    }
}
