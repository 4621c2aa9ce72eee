package import Authentication
package import FTPProtocol
package import FileSystem
package import LinuxSystem

/// Puts files of a program's own in the place of the kernel's.
package typealias FileReplacement =
    @Sendable (Account, String, Jail) throws(SystemError) -> any FileSystem

/// What a Warden enforces, whatever its Session asks for.
package struct WardenSettings: Sendable {
    /// The ids that Sessions run under; `nil` without root.
    package var unprivileged: Credentials?

    /// What comes of system calls that a process has no use for (`seccomp_sandbox`).
    package var systemCalls = SystemCallPolicy.enforced

    /// Whether Listener and Wardens keep little of root's rights as well (`pam_sandbox`).
    package var confinesPAM = true

    /// Whether Agents make the jail their root; found out by the Listener at its start.
    package var changesRoot = false

    /// Whether passwords of system accounts are taken that came without TLS
    /// (`plain_system_logins`).
    package var takesPlainSystemLogins = false

    /// Failed logins after which a session ends (`max_login_fails`).
    package var maximumFailures = 3

    /// Whether users are locked out after failed logins (`user_lock_failures`).
    package var locksUsers = false

    /// How long a client may take to log in, from the connection on (`login_timeout`).
    package var loginTimeout: Duration = .seconds(60)

    /// How long a check of a login may take, questions to the client not counted (`pam_timeout`).
    package var checkTimeout: Duration = .seconds(60)

    /// The wait before a refusal is told (`delay_failed_login`).
    package var failureDelay: Duration = .seconds(1)

    /// The longest wait before a refusal is told (`delay_failed_login_max`).
    package var maximumFailureDelay: Duration = .seconds(16)

    /// The wait before a success is told (`delay_successful_login`).
    package var successDelay: Duration = .zero

    /// Reads who may try to log in at all (`userlist_enable`); asked for each login.
    package var userList: @Sendable () throws(LoginRefusal) -> UserList? = { nil }

    /// What is asked of clients' certificates.
    package var certificates = CertificateRules()

    /// Whether the Listener keeps the address that PASV announces (`pasv_addr_resolve`).
    package var looksUpAnnouncedAddress = false

    /// Where passive data connections are awaited; `nil` for nowhere (`pasv_enable`).
    package var passivePorts: PassivePorts?

    /// Load balancers whose connections begin with a PROXY header (`proxy_networks`).
    package var proxyNetworks: [IPNetwork] = []

    /// Passive ports that may be out for one address at a time (`pasv_max_per_ip`); 0 for any number.
    package var maximumPassivePerAddress = 0

    /// Whether active data connections are made (`port_enable`).
    package var allowsActive = true

    /// Whether they may lead to any address (`port_promiscuous`, `permit_foreign_addresses`).
    package var allowsForeignActive = false

    /// Whether they may lead to ports below 1024 (`port_promiscuous`, `permit_privileged_ports`).
    package var allowsPrivilegedActive = false

    /// The port that they come from (`ftp_data_port`); 0 for any.
    package var activePort: UInt16 = 0

    /// Works out what an account gets; asked once per login, after the password was right.
    package var profile: @Sendable (Account) throws(LoginRefusal) -> LoginProfile = { account in
        LoginProfile(root: account.home, rules: FileRules(permissions: account.permissions))
    }

    /// Puts files of a program's own in the place of the kernel's, of which it is given those beneath
    /// the login's root; asked by each Agent behind its walls.
    package var replaceFiles: FileReplacement?

    /// Whether Sessions may have the kernel send files over connections in clear.
    package var sendsFiles = false

    /// Whether Sessions offer the keys of their data connections to the kernel, and have it send files.
    package var encryptsInKernel = false

    /// Whether Sessions are told where on this machine the root of a login is.
    package var showsRoot = false

    /// Bytes per second for all transfers of the server together (`server_max_rate`); 0 for any.
    package var serverRate = 0

    /// Whether what happens is counted (`metrics_address`).
    package var counts = false

    /// How long a running transfer may go on once the server is to end.
    package var shutdownTimeout: Duration = .seconds(30)

    /// How long a Session waits for the outcome of a login, delays included.
    package var loginLimit: Duration { checkTimeout + failureDelay + successDelay + .seconds(1) }

    /// Creates the defaults.
    package init() {}
}
