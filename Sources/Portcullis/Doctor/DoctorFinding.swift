/// Something that people trip over, found on this machine.
package struct DoctorFinding: Hashable, Sendable {
    /// What was looked at, in a word that scripts may rely on.
    package let check: String

    /// What is wrong, in one line.
    package let text: String

    /// What to do about it, in one line.
    package let mend: String

    /// Creates a finding; control characters become `?`.
    init(_ check: String, _ text: String, mend: String) {
        self.check = check
        self.text = text.shownInOneLine
        self.mend = mend.shownInOneLine
    }
}

/// What a doctor is told beside the configuration.
package struct DoctorQuestions: Sendable {
    /// The names under which clients know the server.
    package var hosts: [String] = []

    /// A PEM file with authorities that clients know beside the system's.
    package var authorities: String?

    /// Whom to log in as; `nil` for nobody.
    package var user: String?

    /// Whether a file may be stored, fetched and removed.
    package var mayWrite = false

    /// Creates questions that nothing is told about.
    package init() {}
}
