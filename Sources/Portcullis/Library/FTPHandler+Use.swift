internal import FTPProtocol
internal import LinuxSystem
internal import Logging
internal import TLS

// What a subclass may ask for and do.

extension FTPHandler {
    /// The client's IP address.
    public final var remoteIP: String { "\(peer.address)" }

    /// The client's port.
    public final var remotePort: UInt16 { peer.port }

    /// The IP address of this machine that the client has connected to.
    public final var localIP: String { "\(local.address)" }

    /// Who is logged in; `nil` before and after.
    public final var user: String? { login?.user }

    /// Whether TLS protects the control connection.
    public final var isSecure: Bool { control.stream.isTLS }

    /// The working directory, as the client sees it.
    public final var currentDirectory: String { workingDirectory.text }

    /// ``Settings/attachment`` of the server.
    public final var attachment: (any Sendable)? { settings.embedding?.attachment }

    /// Sends a reply of one line.
    ///
    /// One command is answered by one final reply: a hook that sends one more confuses the client.
    ///
    /// - Parameters:
    ///   - code: Three digits, 200 to 599 (RFC 959 section 4.2).
    ///   - text: The text; control characters are taken out.
    /// - Throws: ``SessionEnd`` when the client is gone.
    public final func respond(_ code: UInt16, _ text: String) throws(SessionEnd) {
        try reply(code, text)
    }

    /// Sends a reply of several lines, such as a status (RFC 959 section 4.2).
    public final func respond(_ code: UInt16, lines: [String]) throws(SessionEnd) {
        try reply(Reply(code, lines: lines.map { ReplyText($0) }))
    }

    /// Ends the session as soon as what it does now is done.
    ///
    /// A transfer that runs is completed first.
    public final func close() { isClosing = true }

    /// Writes a line into the log.
    public final func log(_ text: String) { log(.info, text) }

    /// Calls a function when `delay` has gone, on the session's own thread.
    ///
    /// It is called between two other things, also while a transfer runs, and not at all once the
    /// session has ended.
    ///
    /// - Returns: What ``cancel(_:)`` takes.
    @discardableResult
    public final func callLater(
        after delay: Duration,
        _ body: @escaping () -> Void
    ) -> SessionTimer {
        SessionTimer(number: timers.add(Deadline(after: delay), body))
    }

    /// Calls off what ``callLater(after:_:)`` was asked for.
    public final func cancel(_ timer: SessionTimer) { timers.cancel(timer.number) }

    /// Does something with the rights of the user who is logged in.
    ///
    /// Where sessions have those rights anyway, `body` is simply called: the thread of a session is
    /// the user from the login to the logout (``Authorizer/impersonateUser(_:)``).
    public final func runAsCurrentUser<Result>(_ body: () throws -> Result) rethrows -> Result {
        try body()
    }
}
