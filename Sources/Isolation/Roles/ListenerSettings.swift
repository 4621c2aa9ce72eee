internal import FTPProtocol

/// Where a Listener listens, and how many clients it takes.
package struct ListenerSettings: Sendable {
    /// The control ports.
    package var ports: [ControlPort]

    /// Whether the sockets are taken that the service manager has opened, if there are any, in place
    /// of ``ports``.
    package var takesInheritedSockets = false

    /// How clients of an inherited socket begin, by its name.
    package var kind: @Sendable (String) -> ControlPort.Kind = { _ in .explicitTLS }

    /// Whether sessions may use TLS at all (`ssl_enable`).
    package var offersTLS = true

    /// IPv6 sockets take IPv4 clients too.
    package var isDualStack = false

    /// Sessions at a time (`max_clients`), 0 for any number.
    package var maximumClients = 2_000

    /// Sessions at a time from one address (`max_per_ip`), 0 for any number.
    package var maximumClientsPerAddress = 50

    /// Sessions at a time that have not logged in (`max_before_login`), 0 for any number.
    package var maximumPendingClients = 0

    /// Connections a minute from one address (`max_connection_rate`), 0 for any number.
    package var maximumConnectionRate = 0

    /// The load average, in hundredths, above which clients are turned away (`max_load`); 0 for any.
    package var maximumLoad = 0

    /// The name that is announced to clients by its address; `nil` where that never changes.
    package var announcedName: AnnouncedName?

    /// When an address is turned away after failed logins.
    package var bans = BanSettings()
    /// When a user is locked out.
    package var userLocks = BanSettings.users

    /// What a client is told that is turned away.
    package var refusalReply: @Sendable (ClientRefusal) -> [UInt8] = { $0.reply.encoded }

    /// What Wardens enforce.
    package var warden = WardenSettings()

    /// Creates settings.
    package init(ports: [ControlPort]) {
        self.ports = ports
    }
}
