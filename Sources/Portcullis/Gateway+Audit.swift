internal import Isolation
internal import LinuxSystem
internal import Logging

// The audit trail.

extension Gateway {
    /// Opens the file of the audit trail.
    ///
    /// - Returns: `nil` where none is written.
    /// - Throws: ``ServerError`` for a file that cannot be opened, or that another server writes.
    static func openAudit(
        _ report: ConfigurationReport,
        _ logger: Logger
    ) throws(ServerError) -> Auditor? {
        let audit = report.configuration.logs.audit
        guard let file = audit.file else { return nil }
        var settings = AuditorSettings(path: file)
        settings.isRequired = audit.isRequired
        settings.synchronizes = audit.synchronizes
        settings.keyPath = audit.keyFile
        settings.group = try auditGroup(report)
        settings.unprivileged = try unprivilegedCredentials(report)
        settings.systemCalls = report.configuration.session.systemCalls
        do throws(LogFileError) {
            return try Auditor.opening(settings, logger)
        } catch {
            throw auditRefusal(audit, report, error)
        }
    }

    private static func auditRefusal(
        _ audit: AuditSettings,
        _ report: ConfigurationReport,
        _ error: LogFileError
    ) -> ServerError {
        guard error.isOfKey else {
            return refusal(of: audit.file ?? "", "audit_log_file", report, error)
        }
        return .option(
            "audit_key_file",
            audit.keyFile ?? "",
            report,
            error.reason,
            mend: "make one with `portcullis audit key FILE`, with mode 0600"
        )
    }

    /// Says whether the file could be opened, and leaves none behind.
    static func checkAudit(_ report: ConfigurationReport) throws(ServerError) {
        let audit = report.configuration.logs.audit
        guard let file = audit.file else { return }
        _ = try auditGroup(report)
        do throws(LogFileError) {
            try LogFile.check(file)
            if let key = audit.keyFile { try Auditor.checkKey(key) }
        } catch {
            throw auditRefusal(audit, report, error)
        }
    }

    private static func auditGroup(_ report: ConfigurationReport) throws(ServerError) -> UInt32? {
        guard let name = report.configuration.logs.audit.group else { return nil }
        if let number = SystemAccount.number(ofGroup: name) { return number }
        throw .option(
            "audit_log_group",
            name,
            report,
            "there is no such group",
            mend: "name the group that may read the audit trail"
        )
    }
}
