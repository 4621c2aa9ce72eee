package import LinuxSystem

/// An account for trying the server out: it exists in one running server and nowhere else.
package final class DemonstrationAccount {
    /// The login name.
    package let name: String

    /// Its random password.
    package let password: Secret

    /// The ids that its files are opened under.
    package let credentials: Credentials

    /// The directory that it sees as `/`.
    package let directory: String

    /// Describes the account.
    package init(
        name: String,
        password: consuming Secret,
        credentials: Credentials,
        directory: String
    ) {
        self.name = name
        self.password = password
        self.credentials = credentials
        self.directory = directory
    }
}
