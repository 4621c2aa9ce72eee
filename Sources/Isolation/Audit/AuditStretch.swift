// What the records say that a stretch of the trail begins and ends with.

/// An `open`, read back.
package struct AuditOpening: Hashable, Sendable {
    /// What stood before.
    package private(set) var after = ""
    /// The branch that begins here.
    package private(set) var branch: String?
    /// The branch that the seal before has named, and that was not begun.
    package private(set) var lostBranch: String?
    /// Bytes of an unfinished line that was taken away.
    package private(set) var tornByteCount: UInt64?
    /// The public key that signs, in hexadecimal digits.
    package private(set) var key: [UInt8]?

    /// Reads what it can of a record; `nil` for another one.
    package init?(_ record: AuditLine) {
        guard record.event == "open" else { return nil }
        _ = record.read { cursor in
            guard cursor.take(",\"reason\":\""), cursor.takeWord() != nil,
                cursor.take("\",\"after\":\"")
            else { return false }
            after = cursor.takeWord() ?? ""
            if cursor.take("\",\"branch\":\"") {
                branch = cursor.takeWord()
            } else if cursor.take("\",\"lost_branch\":\"") {
                lostBranch = cursor.takeWord()
            }
            guard cursor.take("\"") else { return false }
            if cursor.take(",\"torn_bytes\":") { tornByteCount = cursor.takeNumber() }
            if cursor.take(",\"key\":\"") { key = cursor.takeHash() }
            return true
        }
    }
}

/// A `seal`, read back.
package struct AuditSeal: Hashable, Sendable {
    /// Records from the `open` on, both counted.
    package private(set) var recordCount: UInt64?
    /// The branch that begins behind it.
    package private(set) var branch: String?
    /// The public key of the first signature in the branch, in hexadecimal digits.
    package private(set) var branchKey: [UInt8]?

    /// Reads what it can of a record; `nil` for another one.
    package init?(_ record: AuditLine) {
        guard record.event == "seal" else { return nil }
        _ = record.read { cursor in
            guard cursor.take(",\"reason\":\""), cursor.takeWord() != nil,
                cursor.take("\",\"records\":")
            else { return false }
            recordCount = cursor.takeNumber()
            guard cursor.take(",\"branch\":\"") else { return true }
            branch = cursor.takeWord()
            if cursor.take("\",\"branch_key\":\"") { branchKey = cursor.takeHash() }
            return true
        }
    }
}
