internal import FTPProtocol
package import LinuxSystem
internal import Logging

/// Where the logs go that vsftpd would write.
package struct TransferLogSettings: Hashable, Sendable {
    /// The file in wu-ftpd's format (`xferlog_file`); `nil` for none.
    package var standardFile: String?

    /// The file in vsftpd's own format (`vsftpd_log_file`); `nil` for none.
    package var ownFile: String?

    /// Whether the system's log gets vsftpd's own format (`syslog_enable`).
    package var usesSystemLog = false

    /// Creates settings that write nothing.
    package init() {}

    /// Whether anything is written in vsftpd's own format.
    package var writesOwn: Bool { ownFile != nil || usesSystemLog }

    /// Whether anything is written at all.
    package var writes: Bool { standardFile != nil || writesOwn }
}

/// The logs that vsftpd would write, in its formats.
///
/// Opened by the Listener before the first client, and written by it and by the Wardens; no other
/// process keeps the files. Nobody waits for them: what cannot be written is lost, and said so once.
package final class TransferLogs {
    private let standard: LogFile?
    private let own: LogFile?
    private let system: SystemLog?
    private var complaints: Set<String> = []

    /// Takes over what was opened.
    package init(standard: LogFile?, own: LogFile?, usesSystemLog: Bool) {
        self.standard = standard
        self.own = own
        system = usesSystemLog ? SystemLog(as: "portcullis") : nil
    }

    /// The files, for a process that closes everything else.
    var descriptorNumbers: [CInt] { [standard, own].compactMap { $0?.number } }

    /// Opens the files anew, for sessions that begin later; one that cannot be stays.
    func reopen(_ logger: Logger) {
        for (option, file) in files {
            do throws(LogFileError) {
                try file.reopen()
            } catch {
                logger.error("\(option): the old file is written to: \(error.reason)")
            }
        }
    }

    private var files: [(String, LogFile)] {
        [("xferlog_file", standard), ("vsftpd_log_file", own)].compactMap { option, file in
            file.map { (option, $0) }
        }
    }

    /// Writes a line about a client into each log that has such lines.
    func write(_ event: TransferLogEvent, about client: LoggedClient, _ logger: Logger) {
        let now = secondsSinceEpoch()
        // As vsftpd does, whatever use_localtime says: other programs take these times for local.
        let (local, overflowed) = now.addingReportingOverflow(localTimeOffset(at: now))
        let time = Timestamp(seconds: overflowed ? now : local)
        if case .action(let action) = event, action.kind.isTransfer, let standard {
            attempt("xferlog_file", logger) { () throws(SystemError) in
                try standard.append(action.standardLine(about: client, at: time))
            }
        }
        guard own != nil || system != nil else { return }
        let line = event.line(about: client)
        if let own {
            let prefix = Array("\(time.logDate) [pid \(DaemonProcess.id)] ".utf8)
            attempt("vsftpd_log_file", logger) { () throws(SystemError) in
                try own.append(prefix + line)
            }
        }
        if let system {
            let isFailure = event == .login(isDone: false)
            attempt("syslog_enable", logger) { () throws(SystemError) in
                try system.write(
                    line,
                    isFailure ? .warning : .information,
                    date: time.syslogDate
                )
            }
        }
    }

    private func attempt(
        _ option: String,
        _ logger: Logger,
        _ body: () throws(SystemError) -> Void
    ) {
        do throws(SystemError) {
            try body()
            complaints.remove(option)
        } catch {
            guard complaints.insert(option).inserted else { return }
            logger.error("\(option): lines are lost (\(error))")
        }
    }
}
