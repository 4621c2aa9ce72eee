package import Authentication
internal import FTPProtocol
package import FileSystem
internal import LinuxSystem

/// What holds for all sessions of a server whose sessions are threads.
package struct EmbeddedSettings: Sendable {
    /// The control ports.
    package var ports: [ControlPort]

    /// Sessions at a time, 0 for any number; each is a thread.
    package var maximumClients = 512

    /// Sessions at a time from one address, 0 for any number.
    package var maximumClientsPerAddress = 0

    /// What a client is told for whom there is no room, if anything but the usual.
    package var refusalReply: @Sendable (ClientRefusal) -> [UInt8] = { $0.reply.encoded }

    /// When an address is turned away after failed logins.
    package var bans = BanSettings()
    /// When a user is locked out.
    package var userLocks = BanSettings.users

    /// What holds for each session, whatever it asks for.
    package var warden = WardenSettings()

    /// Makes what checks logins, once for each session and on its thread.
    package var makeAuthorizers: @Sendable () -> [any Authorizer]

    /// Opens the files of a login, on the session's thread.
    package var openFiles: FileOpener = { account, profile throws(LoginRefusal) in
        try LocalFiles.open(account, profile)
    }

    /// Called on the session's thread when a login has begun, and when it has ended.
    package var noteLogin: @Sendable (any Login, Bool) throws(LoginRefusal) -> Void = { _, _ in }

    /// Told what happens in sessions.
    package var noteEvent: (@Sendable (EventReport) -> Void)?

    /// Whether handlers may know where the login's files are on this machine.
    package var showsRoot = true

    /// Creates settings.
    package init(
        ports: [ControlPort],
        makeAuthorizers: @escaping @Sendable () -> [any Authorizer]
    ) {
        self.ports = ports
        self.makeAuthorizers = makeAuthorizers
    }
}

/// Opens the files of a login.
package typealias FileOpener =
    @Sendable (Account, LoginProfile) throws(LoginRefusal) -> any FileSystem

/// The kernel's files for a login, opened with the rights of the thread.
package enum LocalFiles {
    /// Opens the root of the login, behind its rules.
    package static func open(
        _ account: Account,
        _ profile: LoginProfile
    ) throws(LoginRefusal) -> PermittedFileSystem {
        let jail = try openJail(account, profile)
        return PermittedFileSystem(jail, rules: profile.rules, resolver: jail)
    }

    /// Opens the root of the login, without its rules.
    package static func openJail(
        _ account: Account,
        _ profile: LoginProfile
    ) throws(LoginRefusal) -> Jail {
        do throws(SystemError) {
            let jail = try Jail.opening(
                profile.root,
                openMode: profile.rules.openMode,
                uploads: profile.rules.uploads,
                refusesLinks: !profile.rules.places.isEmpty
            )
            // The umask belongs to the whole program.
            jail.ownMask = profile.rules.umask
            return jail
        } catch {
            throw .unavailable(reason: "home directory \(profile.root): \(error)")
        }
    }
}
