package import LinuxSystem
internal import Logging

/// The process that answers Prometheus: an unprivileged uid, no files, no way to make a connection.
///
/// It has the page with the numbers, and no channel to anybody.
enum MetricsRole {
    /// Becomes the process and serves until the Listener is gone.
    static func run(
        _ socket: borrowing OwnedDescriptor,
        _ page: SharedPage,
        _ settings: MetricsSettings
    ) -> Never {
        DaemonProcess.setName("ftps-metrics")
        do throws(SystemError) {
            try DaemonProcess.closeDescriptors(except: [socket.number])
            try DaemonProcess.resetSignals()
            try DaemonProcess.outliveTermination()
            try Confinement.enterMetrics(as: settings.unprivileged, settings.systemCalls)
        } catch {
            DaemonProcess.exit(RoleStatus.notConfined)
        }
        serve(socket, page, settings.version)
        DaemonProcess.exit(0)
    }

    /// Connections at a time; others wait until one of them is over, or has had its share of time.
    private static let maximumCount = 16

    /// How long a connection keeps its place while others wait.
    private static let share: Duration = .milliseconds(250)

    /// How long a request and its answer may take together.
    private static let patience: Duration = .seconds(5)

    private static func serve(
        _ socket: borrowing OwnedDescriptor,
        _ page: SharedPage,
        _ version: String
    ) {
        var scrapes: [Scrape] = []
        while true {
            // The oldest stands first.
            let oldest = scrapes.count >= maximumCount ? scrapes.first : nil
            let isFull = oldest.map { !$0.share.hasPassed } ?? false
            var entries = [isFull ? .none : PollEntry(socket.number, reading: true)]
            entries += scrapes.map(\.entry)
            var deadline = scrapes.map(\.deadline).min() ?? .never
            if isFull, let oldest { deadline = min(deadline, oldest.share) }
            guard (try? poll(&entries, until: deadline)) != nil else { return }
            for (scrape, entry) in zip(scrapes, entries.dropFirst())
            where entry.isReadable || entry.isWritable {
                scrape.advance { MetricsText.text(of: page, version: version) }
            }
            scrapes.removeAll { $0.isOver || $0.deadline.hasPassed }
            // What cannot be accepted now is accepted later, and nobody spins meanwhile.
            if entries[0].isReadable, let client = try? socket.accept() {
                if scrapes.count >= maximumCount { scrapes.removeFirst() }
                scrapes.append(
                    Scrape(
                        client.takeDescriptor(),
                        until: Deadline(after: patience),
                        share: Deadline(after: share)
                    )
                )
            }
        }
    }

    /// One connection.
    private final class Scrape {
        private let socket: OwnedDescriptor
        let deadline: Deadline
        let share: Deadline
        private var request: [UInt8] = []
        private var answer: [UInt8] = []
        private var sent = 0
        private var isAnswered = false
        private(set) var isOver = false

        init(_ socket: consuming OwnedDescriptor, until deadline: Deadline, share: Deadline) {
            self.socket = socket
            self.deadline = deadline
            self.share = share
        }

        var entry: PollEntry {
            let isSending = sent < answer.count
            return PollEntry(socket.number, reading: !isSending, writing: isSending)
        }

        /// Reads or writes what can be, without waiting.
        func advance(_ text: () -> String) {
            if sent < answer.count {
                send()
                return
            }
            var buffer = [UInt8](repeating: 0, count: 2_048)
            let outcome = unsafe buffer.withUnsafeMutableBytes { unsafe socket.receive(into: $0) }
            switch outcome {
            case .bytes(let count):
                // What comes behind the request is read and forgotten, so that nothing is reset.
                guard !isAnswered else { return }
                request += buffer.prefix(count)
                guard let asked = ScrapeRequest(request) else { return }
                request = []
                answer = asked.answer(text)
                isAnswered = true
                send()
            case .wantsRead, .wantsWrite: break
            case .ended, .failed: isOver = true
            }
        }

        private func send() {
            let outcome = unsafe answer.withUnsafeBytes {
                unsafe socket.send(UnsafeRawBufferPointer(rebasing: $0[sent...]))
            }
            switch outcome {
            case .bytes(let count):
                sent += count
                if sent == answer.count { socket.endWriting() }
            case .wantsRead, .wantsWrite: break
            case .failed: isOver = true
            }
        }
    }
}

/// Where the numbers are asked for.
package struct MetricsSettings: Sendable {
    /// The address (`metrics_address`).
    package var address: SocketAddress

    /// The version of the program.
    package var version: String

    /// The ids of the process; `nil` without root.
    package var unprivileged: Credentials?

    /// What comes of system calls that it has no use for.
    package var systemCalls: SystemCallPolicy

    /// Describes where.
    package init(
        address: SocketAddress,
        version: String,
        unprivileged: Credentials?,
        systemCalls: SystemCallPolicy
    ) {
        self.address = address
        self.version = version
        self.unprivileged = unprivileged
        self.systemCalls = systemCalls
    }
}

/// The Listener's side of the process that answers Prometheus.
package final class MetricsDesk {
    private let socket: OwnedDescriptor
    private let settings: MetricsSettings
    private var kept = KeptProcess()

    /// Opens the address.
    package init(_ settings: MetricsSettings) throws(SystemError) {
        self.settings = settings
        socket = try .listening(on: settings.address, backlog: 64)
    }

    /// Where it is asked, with the port that the kernel chose.
    package var address: SocketAddress { (try? socket.localAddress()) ?? settings.address }

    /// The process, while there is one.
    var process: CInt? { kept.number }

    /// When a process is started again; never while there is one.
    var nextStart: Deadline { kept.nextStart }

    /// Starts the process when there is none; `page` gives it the numbers.
    ///
    /// - Returns: Whether one was started.
    func restore(_ logger: Logger, _ page: () -> SharedPage?) -> Bool {
        guard kept.isDue else { return false }
        switch try? DaemonProcess.fork() {
        case .child:
            guard let page = page() else { DaemonProcess.exit(1) }
            MetricsRole.run(socket, page, settings)
        case .parent(let process):
            kept.noteStart(process)
            return true
        case nil:
            kept.noteEnd()
            logger.error("metrics_address: no process to answer there")
            return false
        }
    }

    /// Takes note that a process has ended.
    ///
    /// - Returns: Whether it was this one.
    func noteEnd(of process: CInt, _ logger: Logger) -> Bool {
        guard process == self.process else { return false }
        kept.noteEnd()
        logger.error("the process that answers at metrics_address has ended; another one starts")
        return true
    }

    /// Ends the process.
    func close() { kept.end() }
}
