internal import FTPProtocol
package import LinuxSystem
package import Logging
internal import Synchronization

/// Accepts clients and gives each a thread: a server inside another program.
///
/// Starts no process, touches no signal, and keeps nothing that another server could see.
package final class EmbeddedListener: Sendable {
    /// Connections that the kernel holds for us.
    private static let backlog: CInt = 1_024

    /// How long sessions may take that were told to end at once, before they are left alone.
    private static let patience: Duration = .seconds(5)

    private let settings: EmbeddedSettings
    private let logger: Logger
    private let register: SessionRegister
    private let sockets: [ListeningSocketBox]
    private let wakeUp: WakeUp
    /// What is called later, on the thread that serves.
    package let timers = TimerQueue()

    private let leash: SessionLeash
    private let state = Mutex(State())

    private struct State {
        var isStopping = false
        var isAborting = false
        var isServing = false
    }

    /// Opens the control ports.
    ///
    /// - Parameters:
    ///   - settings: What holds for all sessions.
    ///   - opened: A socket that listens already, in place of the one port.
    ///   - logger: Where lines go.
    /// - Throws: ``ListenerError`` naming the address that could not be listened on.
    package init(
        _ settings: EmbeddedSettings,
        adopting opened: consuming OwnedDescriptor? = nil,
        logger: Logger
    ) throws(ListenerError) {
        self.settings = settings
        self.logger = logger
        var address: SocketAddress?
        do throws(SystemError) {
            wakeUp = try WakeUp()
            register = try SessionRegister(settings)
            leash = try SessionLeash()
            var sockets: [ListeningSocketBox] = []
            for port in settings.ports {
                address = port.address
                let socket =
                    if let own = opened.take() {
                        own
                    } else {
                        try OwnedDescriptor.listening(on: port.address, backlog: Self.backlog)
                    }
                sockets.append(ListeningSocketBox(socket, port.kind))
            }
            self.sockets = sockets
        } catch {
            throw ListenerError(address: address, cause: error)
        }
    }

    /// Where clients are accepted, with the numbers that the kernel chose.
    package var localPorts: [ControlPort] {
        sockets.compactMap { socket in
            guard let address = try? socket.descriptor.localAddress() else { return nil }
            return ControlPort(address, socket.kind)
        }
    }

    /// How many sessions there are.
    package var sessionCount: Int { register.count }

    /// Has the thread that serves look at ``timers``.
    package func wake() { wakeUp.call() }

    /// Accepts no more clients, and has each session finish what it does.
    ///
    /// ``run(_:)`` returns when they have, or when the time for it is over.
    package func stop() {
        state.withLock { $0.isStopping = true }
        leash.finish.call()
        wakeUp.call()
    }

    /// Accepts no more clients, and ends each session where it is.
    package func closeAll() {
        state.withLock { state in
            state.isStopping = true
            state.isAborting = true
        }
        leash.finish.call()
        leash.abort.call()
        wakeUp.call()
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Serves until ``stop()`` or ``closeAll()``.
    ///
    /// - Parameter body: What each session runs, on its own thread.
    /// - Precondition: The server has not served before.
    package func run(_ body: @escaping @Sendable (consuming SessionStart) -> Void) {
        let isFirst = state.withLock { state in
            defer { state.isServing = true }
            return !state.isServing
        }
        precondition(isFirst, "a server serves once")
        var pause = Deadline.passed
        while !isStopping {
            let isPausing = !pause.hasPassed
            var entries = [PollEntry(wakeUp.pollNumber, reading: true)]
            entries += sockets.map { PollEntry($0.descriptor.number, reading: !isPausing) }
            let limit = min(timers.next, isPausing ? pause : .never)
            _ = try? poll(&entries, until: limit)
            if entries[0].isReadable { wakeUp.clear() }
            timers.runDue()
            guard !isStopping, !isPausing else { continue }
            if !accept(body) { pause = Deadline(after: .milliseconds(200)) }
        }
        finish()
    }

    private func finish() {
        for socket in sockets { socket.descriptor.endListening() }
        if wait(until: Deadline(after: settings.warden.shutdownTimeout)) { return }
        closeAll()
        if !wait(until: Deadline(after: Self.patience)) {
            logger.error("sessions that do not end are left alone: \(register.count)")
        }
    }

    /// Waits until all sessions have ended, or are to be ended at once.
    private func wait(until deadline: Deadline) -> Bool {
        let wasAborting = state.withLock { $0.isAborting }
        while register.count > 0, !deadline.hasPassed {
            var entries = [
                PollEntry(register.hasShrunk.pollNumber, reading: true),
                PollEntry(wakeUp.pollNumber, reading: true),
            ]
            _ = try? poll(&entries, until: min(deadline, timers.next))
            if entries[0].isReadable { register.hasShrunk.clear() }
            if entries[1].isReadable { wakeUp.clear() }
            timers.runDue()
            if !wasAborting, state.withLock({ $0.isAborting }) { return false }
        }
        return register.count == 0
    }

    /// Takes the clients that wait; `false` when there are no resources for them.
    private func accept(_ body: @escaping @Sendable (consuming SessionStart) -> Void) -> Bool {
        for socket in sockets {
            for _ in 0..<64 {
                do throws(SystemError) {
                    guard let client = try socket.descriptor.accept() else { break }
                    try serve(client, socket.kind, body)
                } catch {
                    logger.error("client not served: \(error)")
                    return false
                }
            }
        }
        return true
    }

    private func serve(
        _ client: consuming AcceptedConnection,
        _ kind: ControlPort.Kind,
        _ body: @escaping @Sendable (consuming SessionStart) -> Void
    ) throws(SystemError) {
        let peer = client.peer
        let control = client.takeDescriptor()
        var logger = logger
        let identifier = randomWord(count: 8)
        logger[metadataKey: "session"] = .string(identifier)
        logger[metadataKey: "peer"] = .stringConvertible(peer)
        let number: CInt
        switch register.admit(peer.address) {
        case .admitted(let admitted): number = admitted
        case .refused(let refusal):
            logger.notice("client refused", metadata: ["why": .string(refusal.logText)])
            guard kind != .implicitTLS else { return }
            _ = unsafe settings.refusalReply(refusal).withUnsafeBytes { unsafe control.send($0) }
            return
        }
        do throws(SystemError) {
            let local = try control.localAddress()
            let connection = DescriptorBox(control)
            let sessionLogger = logger
            let (settings, register, leash) = (settings, register, leash)
            try DetachedThread.start("ftp-session") {
                defer { register.remove(number) }
                guard let control = connection.take() else { return }
                let warden = LocalWarden(
                    number,
                    identifier,
                    peer: peer,
                    local: local,
                    settings,
                    register,
                    leash,
                    sessionLogger
                )
                sessionLogger.info("connected")
                body(
                    SessionStart(
                        control: control,
                        peer: peer,
                        local: local,
                        isProxied: false,
                        kind: kind,
                        warden: warden,
                        challenge: [],
                        signer: nil
                    )
                )
                warden.end()
                sessionLogger.info("disconnected")
            }
        } catch {
            register.remove(number)
            throw error
        }
    }
}

/// Holds one listening socket, since arrays hold no value with a single owner.
private final class ListeningSocketBox: Sendable {
    let descriptor: OwnedDescriptor
    let kind: ControlPort.Kind

    init(_ descriptor: consuming OwnedDescriptor, _ kind: ControlPort.Kind) {
        self.descriptor = descriptor
        self.kind = kind
    }
}

/// Carries a descriptor to another thread.
private final class DescriptorBox: Sendable {
    private let descriptor: Mutex<OwnedDescriptor?>

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = Mutex(descriptor)
    }

    func take() -> OwnedDescriptor? { descriptor.withLock { $0.take() } }
}
