internal import ArgumentParser

/// `portcullis audit`.
struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the audit trail, or sum it up.",
        subcommands: [AuditVerify.self, AuditReport.self, AuditMakeKey.self]
    )
}
