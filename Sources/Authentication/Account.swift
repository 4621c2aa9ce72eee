package import FTPProtocol
package import LinuxSystem

/// Who logged in: the ids, the home and the permissions that a session works with.
package struct Account: Hashable, Sendable {
    /// The login name.
    package let name: String

    /// The ids of the process that opens this account's files.
    package let credentials: Credentials

    /// The supplementary groups of that process.
    package let groups: [UInt32]

    /// The directory that the session sees as `/`.
    package let home: String

    /// What the account may do.
    package let permissions: Permissions

    /// Describes an account.
    package init(
        name: String,
        credentials: Credentials,
        groups: [UInt32],
        home: String,
        permissions: Permissions
    ) {
        self.name = name
        self.credentials = credentials
        self.groups = groups
        self.home = home
        self.permissions = permissions
    }
}
