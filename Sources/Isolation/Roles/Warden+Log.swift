internal import FTPProtocol
internal import Logging

// What a Session may add to the log.

extension Warden {
    /// Whether one more line may be written that the Session asks for, or brings about.
    func mayLog() -> Bool {
        switch logBudget.spend() {
        case .drop: return false
        case .writeAfterDropping(let count):
            logger.warning("log lines of this session dropped: \(count)")
            return true
        case .write: return true
        }
    }

    /// Writes a line for the Session.
    func log(_ level: Logger.Level, _ text: String) {
        guard mayLog() else { return }
        // Escaped once more: the Session that should have done so may be somebody else's by now.
        let line = LogText.escaped(
            Array(text.utf8),
            maximumByteCount: WardenRequest.maximumLogByteCount,
            isQuoted: false
        )
        logger.log(level: level, "\(line)")
    }
}
