/// A user or a group, as the kernel knows it.
package enum AccountNumber: Hashable, Sendable {
    /// A user's number.
    case user(UInt32)
    /// A group's number.
    case group(UInt32)

    /// The longest name that is told.
    static let maximumNameByteCount = 128

    /// Names that a session may ask for; each may take a question over the network (`nss(5)`).
    static let maximumQuestionCount = 2_000
}
