extension ConfigurationOption {
    private static let standardError = "the log goes to standard error"

    /// Where vsftpd's log would go.
    static let logging: [ConfigurationOption] = [
        .ignoredToggle("xferlog_enable", why: standardError),
        .ignoredToggle("xferlog_std_format", why: standardError),
        .ignoredText("xferlog_file", why: standardError),
        .ignoredText("vsftpd_log_file", why: standardError),
        .ignoredToggle("dual_log_enable", why: standardError),
        .ignoredToggle("syslog_enable", why: standardError),
        .ignoredToggle("log_ftp_protocol", why: "\(standardError), without the commands"),
        .ignoredToggle("no_log_lock", why: standardError),
        .ignoredToggle("log_die", why: standardError),
        .ignoredToggle("wc_logs_enable", why: standardError),
    ]
}
