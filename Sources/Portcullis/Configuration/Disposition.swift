/// What became of a written option.
package enum Disposition: Hashable, Sendable {
    /// The option holds as written.
    case honoured
    /// The option holds, under the name that stands first for it here.
    case mapped(to: String)
    /// The option has no effect, and the daemon starts all the same.
    case ignored(why: String)
    /// The daemon does not start until somebody mends this.
    case refused(why: String, mend: String)

    /// Whether this keeps the daemon from starting.
    package var isRefusal: Bool {
        guard case .refused = self else { return false }
        return true
    }
}
