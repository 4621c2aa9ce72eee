internal import FTPProtocol
internal import Logging

// What a Session may add to the log.

extension Warden {
    /// Whether one more line may be written that the Session asks for, or brings about.
    func mayLog() -> Bool {
        switch remarks.spend() {
        case .drop: return false
        case .writeAfterDropping(let count):
            reportDropped(count)
            return true
        case .write: return true
        }
    }

    /// Writes a line for the Session.
    func log(_ level: Logger.Level, _ text: String) {
        if mayLog() { write(level, text) }
    }

    /// Writes a line for the Session about what its user did; too many of them wait.
    func logAction(_ level: Logger.Level, _ text: String) {
        actions.spendPatiently()
        write(level, text)
    }

    /// Says how many lines were dropped of which nothing has been said, once the session has ended.
    func reportDropped() {
        if remarks.dropped > 0 { reportDropped(remarks.dropped) }
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
}
