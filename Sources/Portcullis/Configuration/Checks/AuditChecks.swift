internal import Isolation

extension ConfigurationDraft {
    /// Explains what has no effect without an audit trail, and refuses a file that cannot be one.
    mutating func checkAudit() {
        let audit = configuration.logs.audit
        guard let file = audit.file else {
            let why = "it needs audit_log_file"
            if audit.isRequired {
                refuse(
                    "audit_required",
                    why: "there is no audit trail",
                    mend: "name its file with audit_log_file, or set audit_required=NO"
                )
            }
            if audit.hashesContent { ignore("audit_content_hash", why: why) }
            if audit.synchronizes { ignore("audit_sync", why: why) }
            ignore("audit_log_group", why: why)
            ignore("audit_key_file", why: why)
            return
        }
        if !file.utf8.starts(with: "/".utf8) {
            refuse(
                "audit_log_file",
                why: "the path does not begin with /",
                mend: "write the whole path of the file"
            )
        }
        let files = configuration.logs.files
        if [files.ownFile, files.standardFile].contains(file) {
            refuse(
                "audit_log_file",
                why: "another log is written to it",
                mend: "write another file: nobody else may write to the audit trail"
            )
        }
    }
}
