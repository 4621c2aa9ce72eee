internal import Isolation

extension ConfigurationOption {
    /// The logs that vsftpd would write.
    static let logging: [ConfigurationOption] = [
        .toggle("xferlog_enable") { (draft, value) in draft.logsTransfers = value },
        .toggle("xferlog_std_format") { (draft, value) in draft.usesStandardLog = value },
        .text("xferlog_file") { (draft, value) in
            draft.standardLogFile = value
            return .honoured
        },
        .text("vsftpd_log_file") { (draft, value) in
            draft.ownLogFile = value
            return .honoured
        },
        .toggle("dual_log_enable") { (draft, value) in draft.writesBothLogs = value },
        .toggle("syslog_enable", sets: \.logs.files.usesSystemLog),
        .toggle("log_ftp_protocol", sets: \.logs.showsProtocol),
        .ignoredToggle(
            "no_log_lock",
            why: "each line is one write at the end of the file, and needs no lock"
        ),
        .ignoredToggle("log_die", why: "the end of a session is told on standard error"),
        .ignoredToggle("wc_logs_enable", why: "names that are UTF-8 are always written as such"),
    ]
}
