package import Isolation

extension Configuration {
    /// The logs that vsftpd would write.
    package struct Logs: Sendable {
        /// Where they go (`xferlog_enable`, `xferlog_std_format`, `dual_log_enable`,
        /// `xferlog_file`, `vsftpd_log_file`, `syslog_enable`).
        package var files = TransferLogSettings()
        /// Whether every command and reply is written in vsftpd's own format (`log_ftp_protocol`).
        package var showsProtocol = false
        /// The audit trail (`audit_log_file` and its kin).
        package var audit = AuditSettings()
    }
}
