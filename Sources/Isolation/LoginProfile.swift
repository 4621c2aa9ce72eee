package import FTPProtocol
package import FileSystem

/// What one login gets, worked out from the account and the configuration.
package struct LoginProfile: Hashable, Sendable {
    /// The directory that the session sees as `/`.
    package var root: String

    /// Where the session begins, as it sees it.
    package var workingDirectory = VirtualPath.root

    /// Whether the rules for anonymous users hold on the connections.
    package var isAnonymous = false

    /// What the Agent enforces.
    package var rules: FileRules

    /// Options that differ for this login, each `name=value`, for the Session to apply.
    ///
    /// Nothing that has to be enforced against a hostile Session belongs here.
    package var sessionOptions: [String] = []

    /// What was written for this user and has no effect, for the log.
    package var remarks: [String] = []

    /// Sessions that the user may have at once (`max_per_user`), 0 for any number.
    package var maximumSessions: UInt32 = 0

    /// Bytes per second for all sessions of the user together (`user_max_rate`); 0 for any.
    package var userRate = 0

    /// Whom uploads are given to (`chown_uploads`).
    package var uploadOwner: UploadOwner?

    /// Whether the login may ask what owners are called (`text_userdb_names`).
    package var namesAccounts = false

    /// Creates a profile.
    package init(root: String, rules: FileRules) {
        self.root = root
        self.rules = rules
    }
}
