internal import Isolation

extension ConfigurationOption {
    /// The audit trail.
    static let auditing: [ConfigurationOption] = [
        .text("audit_log_file", sets: \.logs.audit.file),
        .toggle("audit_required", sets: \.logs.audit.isRequired),
        .toggle("audit_content_hash", sets: \.logs.audit.hashesContent),
        .toggle("audit_sync", sets: \.logs.audit.synchronizes),
        .text("audit_key_file", sets: \.logs.audit.keyFile),
        .text("audit_log_group", sets: \.logs.audit.group),
    ]
}
