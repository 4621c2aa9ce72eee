internal import LinuxSystem
internal import Logging

/// The process that keeps events until they were acted on, which another process does.
///
/// It calls nothing that the program has written, so that it is always there to take one more.
struct EventKeeper: ~Copyable {
    /// Events that may wait; who reports one more has to wait, too.
    private static let maximumCount = 100_000

    private let incoming: MessageSocket
    private let settings: EventChannel.Settings
    private let logger: Logger
    private var queue: [[UInt8]] = []
    /// How many of the queue are done.
    private var doneCount = 0
    private var worker: Worker?
    private var isBusy = false
    private var hasEnded = false

    /// The process that acts on events.
    private final class Worker {
        let process: CInt
        let socket: MessageSocket

        init(_ process: CInt, _ socket: consuming MessageSocket) {
            self.process = process
            self.socket = socket
        }

        /// Takes its word that an event was acted on; `false` when the process has ended.
        func hasAnswered() -> Bool {
            guard let message = try? socket.receive() else { return false }
            return message.bytes == [1]
        }
    }

    private init(
        _ incoming: consuming MessageSocket,
        _ settings: EventChannel.Settings,
        _ logger: Logger
    ) {
        self.incoming = incoming
        self.settings = settings
        self.logger = logger
    }

    /// Keeps events until nobody can report any more and none is left; `rest` hangs up then.
    static func run(
        _ incoming: consuming MessageSocket,
        _ rest: consuming Pipe,
        _ settings: EventChannel.Settings,
        _ logger: Logger
    ) -> Never {
        DaemonProcess.setName("ftps-events")
        do throws(SystemError) {
            // Another server of the program is nothing to this one.
            try DaemonProcess.closeDescriptors(
                except: [
                    incoming.descriptor.number, rest.inputNumber, rest.output.number,
                ]
            )
            try DaemonProcess.resetSignals()
            // What asks the program to end is no reason to lose what happened before.
            try DaemonProcess.outliveTermination()
        } catch {
            logger.error("events: \(error)")
        }
        var rest = rest
        var keeper = EventKeeper(incoming, settings, logger)
        while keeper.serve() {}
        rest.closeInput()
        DaemonProcess.exit(0)
    }

    private var waitingCount: Int { queue.count - doneCount }

    private mutating func serve() -> Bool {
        if hasEnded, waitingCount == 0 { return false }
        handOut()
        var entries = [
            hasEnded || waitingCount >= Self.maximumCount
                ? .none : PollEntry(incoming.descriptor.number, reading: true),
            isBusy ? PollEntry(worker?.socket.descriptor.number ?? -1, reading: true) : .none,
        ]
        // Without a worker the next attempt comes a little later.
        let limit: Deadline =
            !isBusy && waitingCount > 0 ? Deadline(after: .milliseconds(500)) : .never
        guard (try? poll(&entries, until: limit)) != nil else { return false }
        if entries[0].isReadable { receive() }
        if entries[1].isReadable { noteEnd() }
        return true
    }

    private mutating func receive() {
        do throws(SystemError) {
            guard let message = try incoming.receive() else {
                hasEnded = true
                return
            }
            queue.append(message.bytes)
        } catch {
            logger.error("events: \(error)")
        }
    }

    /// Takes the worker's word that an event was acted on, or takes note of its end.
    private mutating func noteEnd() {
        if !(worker?.hasAnswered() ?? false) {
            if let process = worker?.process { _ = DaemonProcess.reap(process, waits: true) }
            logger.error("what acts on events has ended by one of them, which is left at that")
            worker = nil
        }
        isBusy = false
        doneCount += 1
        guard doneCount > 1_000 || doneCount == queue.count else { return }
        queue.removeFirst(doneCount)
        doneCount = 0
    }

    /// Gives the next event to the worker, which is started where there is none.
    private mutating func handOut() {
        guard !isBusy, waitingCount > 0 else { return }
        do throws(SystemError) {
            if worker == nil { worker = try startWorker() }
            try worker?.socket.send(queue[doneCount])
            isBusy = true
        } catch {
            logger.error("events: \(error)")
            if let process = worker?.process {
                DaemonProcess.signal(process, 9)
                _ = DaemonProcess.reap(process, waits: true)
            }
            worker = nil
        }
    }

    private func startWorker() throws(SystemError) -> Worker {
        let pair = try MessageSocket.makePair()
        switch try DaemonProcess.fork() {
        case .child: EventWorker.run(pair.takeSecond(), settings, logger)
        case .parent(let process): return Worker(process, pair.takeFirst())
        }
    }
}

/// The process that acts on events: an account's rights, and whatever the program's code does.
enum EventWorker {
    static func run(
        _ socket: consuming MessageSocket,
        _ settings: EventChannel.Settings,
        _ logger: Logger
    ) -> Never {
        DaemonProcess.setName("ftps-hooks")
        do throws(SystemError) {
            try DaemonProcess.closeDescriptors(except: [socket.descriptor.number])
            if let account = settings.account {
                try account.credentials.assume(groups: try account.groups())
            }
        } catch {
            logger.error("events cannot be acted on: \(error)")
            DaemonProcess.exit(RoleStatus.notConfined)
        }
        while let message = try? socket.receive() {
            if let report = try? EventReport(decoding: message.bytes) { settings.act(report) }
            guard (try? socket.send([1])) != nil else { break }
        }
        DaemonProcess.exit(0)
    }
}
