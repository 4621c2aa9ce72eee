internal import Glibc
internal import SystemPackage

/// How much a line matters, as `journalctl -p` tells lines apart (syslog(3)).
package enum JournalPriority: Int, Sendable {
    case critical = 2
    case error
    case warning
    case notice
    case info
    case debug

    /// What journald takes from the front of a line, and does not show (sd-daemon(3)).
    package var mark: String { "<\(rawValue)>" }

    /// The priority of a line whose second word names its level, as swift-log writes them.
    package init(ofLine line: String) {
        let words = line.utf8.split(separator: UInt8(ascii: " "), maxSplits: 2)
        let level = words.count > 1 ? String(words[1]) : nil
        switch level {
        case "trace", "debug": self = .debug
        case "notice": self = .notice
        case "warning": self = .warning
        case "error": self = .error
        case "critical": self = .critical
        default: self = .info
        }
    }

    /// Whether standard error leads to the journal: the service manager names what it has made it of by
    /// device and inode (`JOURNAL_STREAM` of systemd.exec(5)), and another file may stand there by now.
    package static var isWanted: Bool {
        guard let value = unsafe getenv("JOURNAL_STREAM") else { return false }
        let words = unsafe String(cString: value).split(separator: ":")
        var status = stat()
        guard words.count == 2, unsafe fstat(STDERR_FILENO, &status) == 0 else { return false }
        return UInt64(words[0]) == UInt64(status.st_dev)
            && UInt64(words[1]) == UInt64(status.st_ino)
    }
}
