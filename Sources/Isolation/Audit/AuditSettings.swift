/// What the administrator wants of the audit trail.
package struct AuditSettings: Hashable, Sendable {
    /// The file (`audit_log_file`); `nil` for none.
    package var file: String?

    /// Whether nobody is served while it cannot be written (`audit_required`).
    package var isRequired = false

    /// Whether transfers of whole files tell the hash of the content (`audit_content_hash`).
    package var hashesContent = false

    /// Whether a record is on the disk before its reply is sent (`audit_sync`).
    package var synchronizes = false

    /// The group that may read the file (`audit_log_group`).
    package var group: String?

    /// The file with the key that signs seals (`audit_key_file`); `nil` for none.
    package var keyFile: String?

    /// Creates settings that write nothing.
    package init() {}

    /// Whether a trail is written.
    package var writes: Bool { file != nil }
}
