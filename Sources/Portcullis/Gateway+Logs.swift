internal import Isolation
internal import LinuxSystem

// The logs that vsftpd would write.

extension Gateway {
    /// Opens the logs, which later processes inherit.
    ///
    /// - Returns: `nil` where none is written.
    /// - Throws: ``ServerError`` for a file that cannot be opened.
    static func openLogs(_ report: ConfigurationReport) throws(ServerError) -> TransferLogs? {
        let files = report.configuration.logs.files
        guard files.writes else { return nil }
        return TransferLogs(
            standard: try open(files.standardFile, "xferlog_file", report),
            own: try open(files.ownFile, "vsftpd_log_file", report),
            usesSystemLog: files.usesSystemLog
        )
    }

    /// Says whether the logs could be opened, and leaves no file behind.
    static func checkLogs(_ report: ConfigurationReport) throws(ServerError) {
        let files = report.configuration.logs.files
        for (option, file) in [
            ("xferlog_file", files.standardFile), ("vsftpd_log_file", files.ownFile),
        ] {
            guard let file else { continue }
            do throws(LogFileError) {
                try LogFile.check(file)
            } catch {
                throw refusal(of: file, option, report, error)
            }
        }
    }

    private static func open(
        _ file: String?,
        _ option: String,
        _ report: ConfigurationReport
    ) throws(ServerError) -> LogFile? {
        guard let file else { return nil }
        do throws(LogFileError) {
            return try LogFile.opening(file)
        } catch {
            throw refusal(of: file, option, report, error)
        }
    }

    static func refusal(
        of file: String,
        _ option: String,
        _ report: ConfigurationReport,
        _ error: LogFileError
    ) -> ServerError {
        .option(
            option,
            file,
            report,
            error.reason,
            mend: "name a file in a directory that this account may write to"
        )
    }
}
