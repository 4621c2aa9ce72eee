internal import Isolation

extension SecurityPosture {
    /// Says what is written for auditors, where anything is.
    static func audit(_ audit: AuditSettings) -> [String] {
        guard let file = audit.file else { return [] }
        let failure =
            audit.isRequired
            ? "nobody is served while it cannot be written"
            : "the service goes on while it cannot be written (audit_required=NO)"
        let seals =
            audit.keyFile == nil
            ? "records are chained by hash and not signed (audit_key_file)"
            : "records are chained by hash and signed"
        return ["audit trail: \(file); \(failure); \(seals)"]
    }
}
