internal import Authentication
internal import FTPProtocol
internal import LinuxSystem
internal import Logging

// What a Session may add to the log.

extension Warden {
    /// Bytes per second that all sessions together may add to the log about what users do: some
    /// twenty thousand usual lines.
    private static let logRate = 4 << 20

    /// What a line has besides its text: the time, whose session it is.
    private static let logMarkByteCount = 160

    /// Whether one more line may be written that the Session asks for, or brings about.
    func mayLog() -> Bool {
        remarks.admits(reportDropped)
    }

    /// Writes a line for the Session.
    func log(_ level: Logger.Level, _ text: String) {
        if mayLog() { write(level, text) }
    }

    /// Writes a line for the Session about what its user did; too many of them wait.
    func logAction(_ level: Logger.Level, _ text: String) {
        actions.spendPatiently(wait(until:))
        awaitRoom(for: text.utf8.count)
        write(level, text)
    }

    /// Waits until the log has room for a line, those of all sessions counted together.
    func awaitRoom(for byteCount: Int) {
        wait(until: sharedLogLimiter().charge(byteCount + Self.logMarkByteCount))
    }

    /// Whether the log has room for a line at once, which is then taken: whoever has not logged in has
    /// nobody wait for it.
    func hasRoom(for byteCount: Int) -> Bool {
        sharedLogLimiter().chargeIfDue(byteCount + Self.logMarkByteCount)
    }

    private func sharedLogLimiter() -> RateLimiter {
        let limiter = logLimiter ?? limiter(Self.logRate, on: .logRate)
        logLimiter = limiter
        return limiter
    }

    /// Says how many lines were dropped of which nothing has been said, once the session has ended.
    func reportDropped() {
        if remarks.dropped > 0 { reportDropped(remarks.dropped) }
        reportDroppedRecords()
    }

    private func reportDropped(_ count: Int) {
        logger.warning("log lines of this session dropped: \(count)")
    }

    private func write(_ level: Logger.Level, _ text: String) {
        // Escaped once more: the Session that should have done so may be somebody else's by now.
        let line = LogText.escaped(
            Array(text.utf8),
            maximumByteCount: WardenRequest.maximumLogByteCount,
            isQuoted: false
        )
        logger.log(level: level, "\(line)")
    }

    /// The sessions that SITE WHO may show: anonymous users are strangers to each other.
    func ownSessions() -> [SessionEntry] {
        let sessions = census.sessions()
        guard login?.account.kind == .anonymous else { return sessions }
        let own = logger[metadataKey: "session"].map { "\($0)" }
        return sessions.filter { $0.identifier == own }
    }
}
