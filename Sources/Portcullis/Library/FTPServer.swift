internal import FTPProtocol
internal import Isolation
internal import LinuxSystem
public import Logging

/// A server: listens, and has a handler of the given type serve each client.
///
/// ```swift
/// let authorizer = DummyAuthorizer()
/// try authorizer.addUser("user", password: "12345", home: "/srv/ftp", permissions: .all)
/// var settings = FTPHandler.Settings(authorizer: authorizer)
/// settings.certificate = "/etc/ssl/private/ftp.pem"
/// let server = try FTPServer(
///     address: ServerAddress("0.0.0.0", 2121),
///     handler: TLS_FTPHandler.self,
///     settings: settings
/// )
/// server.serveForever()
/// ```
///
/// A program may have several; they share nothing.
public final class FTPServer: Sendable {
    /// How sessions are kept apart.
    public let concurrency: Concurrency

    /// Sessions at a time; clients beyond it are told to come later (421).
    public let maximumConnections: Int

    /// Sessions at a time from one address; 0 for any number.
    public let maximumConnectionsPerIP: Int

    private let engine: any ServerEngine

    /// Opens the port and reads the certificate.
    ///
    /// - Parameters:
    ///   - address: Where to listen.
    ///   - handler: What serves each client.
    ///   - settings: What holds for all sessions.
    ///   - concurrency: How sessions are kept apart; ``Concurrency/threads`` says what it gives up.
    ///   - maximumConnections: Sessions at a time.
    ///   - maximumConnectionsPerIP: Sessions at a time from one address; 0 for any number.
    ///   - shutdownTimeout: How long transfers may take that run when the server is to end.
    ///   - logger: Where lines about sessions go; warnings and above are for the administrator.
    /// - Throws: ``ServerError``, one line that says what, where and the mend.
    public convenience init(
        address: ServerAddress,
        handler: FTPHandler.Type = TLS_FTPHandler.self,
        settings: FTPHandler.Settings,
        concurrency: Concurrency = .processes,
        maximumConnections: Int = 512,
        maximumConnectionsPerIP: Int = 0,
        shutdownTimeout: Duration = .seconds(30),
        logger: Logger = Logger(label: "portcullis")
    ) throws(ServerError) {
        try self.init(
            try ServerPlan(address, handler, settings, logger),
            nil,
            concurrency,
            maximumConnections: maximumConnections,
            maximumConnectionsPerIP: maximumConnectionsPerIP,
            shutdownTimeout: shutdownTimeout
        )
    }

    /// Takes over a listening socket that the program has opened, and reads the certificate.
    ///
    /// For a socket with options of its own, one that somebody else has handed to the program, or a
    /// privileged port that was opened before the program gave up its rights. From here on it is the
    /// server's: the program neither uses nor closes it. It does not block any more, it is closed with
    /// the server, and when this throws; and the end of the server closes the port for every process that
    /// has the socket, too. Nothing else is taken over: a descriptor that is not such a socket stays the
    /// program's.
    ///
    /// - Parameters:
    ///   - socket: The descriptor of a socket that listens for TCP over IPv4 or IPv6.
    ///   - handler: What serves each client.
    ///   - settings: What holds for all sessions.
    ///   - concurrency: How sessions are kept apart; ``Concurrency/threads`` says what it gives up.
    ///   - maximumConnections: Sessions at a time.
    ///   - maximumConnectionsPerIP: Sessions at a time from one address; 0 for any number.
    ///   - shutdownTimeout: How long transfers may take that run when the server is to end.
    ///   - logger: Where lines about sessions go; warnings and above are for the administrator.
    /// - Throws: ``ServerError``, one line that says what, where and the mend.
    public convenience init(
        socket: CInt,
        handler: FTPHandler.Type = TLS_FTPHandler.self,
        settings: FTPHandler.Settings,
        concurrency: Concurrency = .processes,
        maximumConnections: Int = 512,
        maximumConnectionsPerIP: Int = 0,
        shutdownTimeout: Duration = .seconds(30),
        logger: Logger = Logger(label: "portcullis")
    ) throws(ServerError) {
        let listening = try Self.adopt(socket)
        guard let address = try? listening.localAddress() else {
            throw ServerError("socket: \(socket) has no address: call bind(2) and listen(2) first")
        }
        try self.init(
            try ServerPlan(ServerAddress(address), handler, settings, logger),
            listening,
            concurrency,
            maximumConnections: maximumConnections,
            maximumConnectionsPerIP: maximumConnectionsPerIP,
            shutdownTimeout: shutdownTimeout
        )
    }

    private static func adopt(_ number: CInt) throws(ServerError) -> OwnedDescriptor {
        do throws(SystemError) {
            return try .adoptingListener(number)
        } catch {
            throw ServerError(
                "socket: \(number) does not listen for TCP over IPv4 or IPv6 (\(error)):"
                    + " call bind(2) and listen(2) first"
            )
        }
    }

    private init(
        _ plan: ServerPlan,
        _ socket: consuming OwnedDescriptor?,
        _ concurrency: Concurrency,
        maximumConnections: Int,
        maximumConnectionsPerIP: Int,
        shutdownTimeout: Duration
    ) throws(ServerError) {
        self.concurrency = concurrency
        self.maximumConnections = maximumConnections
        self.maximumConnectionsPerIP = maximumConnectionsPerIP
        var plan = plan
        plan.configuration.listening.maximumClients = maximumConnections
        plan.configuration.listening.maximumClientsPerAddress = maximumConnectionsPerIP
        plan.configuration.timeouts.shutdown = shutdownTimeout
        engine =
            switch concurrency {
            case .threads: try ThreadEngine(plan, socket)
            case .processes: try ProcessEngine(plan, socket)
            }
    }

    /// Where the server listens, with the number that the kernel chose for port 0.
    public var address: ServerAddress { engine.address }

    /// Serves until ``stop()``, ``closeAll()``, and under ``Concurrency/processes`` SIGTERM or SIGINT.
    ///
    /// Blocks the calling thread: that is the program's main part, or a thread of its own. A server
    /// serves once.
    public func serveForever() {
        engine.logger.notice("listening on \(address)")
        engine.serve()
    }

    /// Serves on a thread of its own while `body` runs, and then ends everything where it is.
    ///
    /// For a test of a program's, or a server that is there for one errand. ``Concurrency/threads``
    /// alone can do so: a program with a second thread cannot be forked.
    ///
    /// - Parameter body: What is done meanwhile.
    /// - Returns: What `body` does, once no session is left.
    /// - Throws: ``ServerError`` where sessions are processes, and what `body` throws.
    public func serve<Result>(while body: () throws -> Result) throws -> Result {
        guard concurrency == .threads else {
            throw ServerError(
                "concurrency: processes cannot be forked beside another thread: make the server with"
                    + " .threads"
            )
        }
        let end: WakeUp
        do throws(SystemError) {
            let over = try WakeUp()
            try DetachedThread.start("ftp-server") { [self] in
                serveForever()
                over.call()
            }
            end = over
        } catch {
            throw ServerError("thread: \(error)")
        }
        defer {
            closeAll()
            var entries = [PollEntry(end.pollNumber, reading: true)]
            while !entries[0].isReadable { _ = try? poll(&entries, until: .never) }
        }
        return try body()
    }

    /// Accepts no more clients and has sessions end: idle ones at once, others after their transfer.
    ///
    /// Returns at once; ``serveForever()`` does when all have ended, or when the shutdown timeout has
    /// gone. May be called from any thread.
    public func stop() { engine.stop() }

    /// Closes the port, which may then be opened by another server.
    ///
    /// The same as ``stop()``, under the name that it has with pyftpdlib.
    public func close() { stop() }

    /// Ends everything where it is, transfers too.
    ///
    /// Returns at once; ``serveForever()`` does within a few seconds. May be called from any thread.
    public func closeAll() { engine.closeAll() }

    /// Calls a function when `delay` has gone, on the thread that serves.
    ///
    /// Nobody is accepted while it runs. Under ``Concurrency/processes`` that is the program's own
    /// process, from which later sessions are forked.
    ///
    /// - Returns: What ``ServerTimer/cancel()`` can be said to.
    @discardableResult
    public func callLater(
        after delay: Duration,
        _ body: @escaping @Sendable () -> Void
    ) -> ServerTimer {
        let call = engine.timers.add(Deadline(after: delay), body)
        engine.wake()
        return ServerTimer(queue: engine.timers, call: call)
    }
}

/// Something that a server does later (``FTPServer/callLater(after:_:)``).
public struct ServerTimer: Sendable {
    let queue: TimerQueue
    let call: TimerQueue.Call

    /// Calls it off; does nothing when it was called.
    public func cancel() { queue.cancel(call) }
}
