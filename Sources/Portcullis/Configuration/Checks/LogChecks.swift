internal import Isolation

extension ConfigurationDraft {
    /// Works out which logs are written, by vsftpd's rules, and explains those that are not.
    mutating func checkLogs() {
        let needed = "it needs xferlog_enable=YES, or dual_log_enable=YES"
        let writesAny = logsTransfers || writesBothLogs
        let writesStandard = writesBothLogs || (logsTransfers && usesStandardLog)
        let writesOwn = writesBothLogs || (logsTransfers && !usesStandardLog)
        if writesStandard {
            configuration.logs.files.standardFile = standardLogFile ?? "/var/log/xferlog"
        } else {
            ignore(
                "xferlog_file",
                why: writesAny ? "it needs xferlog_std_format=YES, or dual_log_enable=YES" : needed
            )
        }
        if usesStandardLog, !writesAny { ignore("xferlog_std_format", why: needed) }
        if writesOwn, !configuration.logs.files.usesSystemLog {
            configuration.logs.files.ownFile = ownLogFile ?? "/var/log/vsftpd.log"
        } else if writesOwn {
            ignore("vsftpd_log_file", why: "syslog_enable=YES sends it to the system's log")
        } else {
            ignore(
                "vsftpd_log_file",
                why: writesAny ? "it needs xferlog_std_format=NO, or dual_log_enable=YES" : needed
            )
        }
        if configuration.logs.showsProtocol, !configuration.logs.files.writesOwn {
            configuration.logs.showsProtocol = false
            ignore("log_ftp_protocol", why: "no log in vsftpd's own format is written")
        }
        checkLogFiles()
    }

    private mutating func checkLogFiles() {
        let files = configuration.logs.files
        for (name, file) in [
            ("xferlog_file", files.standardFile), ("vsftpd_log_file", files.ownFile),
        ] {
            guard let file, !file.utf8.starts(with: "/".utf8) else { continue }
            refuse(
                name,
                why: "the path does not begin with /",
                mend: "write the whole path of the file"
            )
        }
        if let file = files.ownFile, file == files.standardFile {
            refuse(
                "vsftpd_log_file",
                why: "it is the same as xferlog_file",
                mend: "write another file, since the formats differ"
            )
        }
    }
}
