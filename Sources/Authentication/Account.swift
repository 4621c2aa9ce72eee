package import FTPProtocol
package import LinuxSystem

/// Where an account comes from, which decides what the configuration gives it.
package enum AccountKind: UInt8, Hashable, Sendable {
    /// An account of the system (`local_enable`).
    case local = 1
    /// A user that PAM knows and the system does not (`guest_enable`).
    case guest
    /// A user of a file of ours (`virtual_users_file`).
    case virtual
    /// Nobody in particular (`anonymous_enable`).
    case anonymous
    /// An account of the program itself, such as the `demo` account.
    case builtIn
}

/// Who logged in: the ids, the home and the permissions that a session works with.
package struct Account: Hashable, Sendable {
    /// The login name.
    package let name: String

    /// The ids of the process that opens this account's files.
    package let credentials: Credentials

    /// The supplementary groups of that process.
    package let groups: [UInt32]

    /// The account's own directory, before the configuration names another (`local_root`).
    package let home: String

    /// Where the account comes from.
    package let kind: AccountKind

    /// The letters of this account alone, which the configuration can only narrow.
    package let permissions: Permissions

    /// Options of this account alone, each `name=value` as in the configuration file.
    package let options: [String]

    /// What tells this account from every other one, whatever authorizer it comes from.
    package var key: String { "\(kind.rawValue):\(name)" }

    /// Describes an account.
    package init(
        name: String,
        credentials: Credentials,
        groups: [UInt32],
        home: String,
        kind: AccountKind = .local,
        permissions: Permissions = .all,
        options: [String] = []
    ) {
        self.name = name
        self.credentials = credentials
        self.groups = groups
        self.home = home
        self.kind = kind
        self.permissions = permissions
        self.options = options
    }
}
