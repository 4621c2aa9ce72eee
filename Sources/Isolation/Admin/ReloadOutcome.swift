/// What came of reading configuration and certificates anew.
package struct ReloadOutcome: Hashable, Sendable {
    /// Whether all of it holds now.
    package var isDone: Bool

    /// What has changed, or why nothing has, for people.
    package var lines: [String]

    /// The options that are others now, by their names.
    package var changed: [String] = []

    /// The options that were changed and take a restart.
    package var waiting: [String] = []

    /// Describes an outcome.
    package init(isDone: Bool, lines: [String]) {
        self.isDone = isDone
        self.lines = lines
    }
}
