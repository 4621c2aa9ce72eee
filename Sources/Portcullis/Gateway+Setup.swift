internal import Authentication
internal import FTPProtocol
internal import Isolation
internal import LinuxSystem

// From a configuration to what the parts of a server need, each with its own errors.

extension Gateway {
    /// The ids of processes that read the network or keep keys; `nil` without root.
    static func unprivilegedCredentials(
        _ report: ConfigurationReport
    ) throws(ServerError) -> Credentials? {
        guard Credentials.isRoot else { return nil }
        let name = report.configuration.login.unprivilegedUser
        guard let account = SystemAccount(named: name), account.credentials.user != 0 else {
            throw .option(
                "nopriv_user",
                name,
                report,
                "no such account, or it is root",
                mend: "name an unprivileged account"
            )
        }
        return account.credentials
    }

    /// The address that PASV announces.
    ///
    /// - Returns: `nil` where that is the control connection's, or a name for which there is no
    ///   answer at present: a server that starts before the network is there is to serve when it is.
    /// - Throws: ``ServerError`` for a name that has no address.
    static func resolvePassiveAddress(
        _ report: ConfigurationReport
    ) throws(ServerError) -> IPAddress? {
        let passive = report.configuration.passive
        // Nobody is told the address then, so no name has to have one.
        guard passive.isEnabled, let name = passive.address else { return nil }
        if let address = IPAddress(name), address.family == .ipv4 { return address }
        switch passive.announcedName == nil ? .noAddress : resolveIPv4(name) {
        case .found(let addresses): return addresses.first
        case .unavailable: return nil
        case .noAddress:
            throw .option(
                "pasv_address",
                name,
                report,
                "the name has no IPv4 address that a client could connect to",
                mend: "write an IPv4 address, or a name that resolves"
            )
        }
    }

    static func makeListenerSettings(
        _ report: ConfigurationReport
    ) throws(ServerError) -> ListenerSettings {
        let configuration = report.configuration
        let listening = configuration.listening
        var settings = ListenerSettings(ports: try controlPorts(report))
        settings.takesInheritedSockets = true
        settings.kind = kindOfInheritedSockets(configuration)
        settings.offersTLS = configuration.tls.isEnabled
        // vsftpd's listen_ipv6 takes IPv4 clients, too; with listen=YES they have their own socket.
        settings.isDualStack = !listening.ipv4
        settings.maximumClients = listening.maximumClients
        settings.maximumClientsPerAddress = listening.maximumClientsPerAddress
        settings.maximumPendingClients = listening.maximumClientsBeforeLogin
        settings.maximumConnectionRate = listening.maximumConnectionRate
        settings.maximumLoad = listening.maximumLoad
        settings.bans = listening.bans
        settings.userLocks = listening.userLocks
        settings.warden = try makeWardenSettings(report)
        return settings
    }

    static func makeWardenSettings(
        _ report: ConfigurationReport
    ) throws(ServerError) -> WardenSettings {
        let configuration = report.configuration
        var settings = WardenSettings(configuration)
        settings.unprivileged = try unprivilegedCredentials(report)
        settings.encryptsInKernel = encryptsInKernel(configuration.tls)
        settings.proxyNetworks = configuration.listening.proxyNetworks
        if configuration.tls.provesClientCertificates {
            settings.certificates = configuration.tls.certificateRules(configuration.anonymous)
        }
        _ = try readUserList(report)
        settings.userList = { () throws(LoginRefusal) in
            do throws(ServerError) {
                return try readUserList(report)
            } catch {
                throw .unavailable(reason: error.description)
            }
        }
        return settings
    }

    static func readUserList(
        _ report: ConfigurationReport
    ) throws(ServerError) -> UserList? {
        let login = report.configuration.login
        guard let file = login.userListFile else { return nil }
        do throws(SystemError) {
            let content = try readFile(at: file, maximumByteCount: 1_048_576)
            return UserList(content, denies: login.userListDenies)
        } catch {
            throw .option(
                "userlist_file",
                file,
                report,
                "cannot be read (\(error))",
                mend: "name a readable file, or set userlist_enable=NO"
            )
        }
    }

    static func makeAuthorizers(
        _ report: ConfigurationReport,
        _ demonstration: DemonstrationAccount?
    ) throws(ServerError) -> [any Authentication.Authorizer] {
        let configuration = report.configuration
        var authorizers: [any Authentication.Authorizer] = []
        if let demonstration {
            let dummy = Authentication.DummyAuthorizer()
            dummy.addUser(
                Account(
                    name: demonstration.name,
                    credentials: demonstration.credentials,
                    groups: [],
                    home: demonstration.directory,
                    kind: .builtIn
                ),
                password: demonstration.password
            )
            authorizers.append(dummy)
        }
        let login = configuration.login
        for kind in configuration.authorizers {
            switch kind {
            case .anonymous: authorizers.append(try makeAnonymousAuthorizer(report))
            case .pam: authorizers.append(login.makeUnixAuthorizer())
            case .virtual:
                if let virtual = login.makeVirtualAuthorizer() { authorizers.append(virtual) }
            }
        }
        return authorizers
    }

    private static func makeAnonymousAuthorizer(
        _ report: ConfigurationReport
    ) throws(ServerError) -> AnonymousAuthorizer {
        let anonymous = report.configuration.anonymous
        let name = anonymous.userName
        let account =
            Credentials.isRoot
            ? SystemAccount(named: name)
            : SystemAccount(name: name, credentials: .current, home: anonymous.root ?? "/")
        guard let account else {
            throw .option(
                "ftp_username",
                name,
                report,
                "no such account",
                mend: "name an account that owns nothing, or set anonymous_enable=NO"
            )
        }
        var settings = AnonymousAuthorizer.Settings(account: account)
        if let file = anonymous.bannedEmailFile {
            settings.banned = try readList(file, "banned_email_file", report)
        }
        if let file = anonymous.emailPasswordFile {
            settings.accepted = try readList(file, "email_password_file", report)
        }
        return AnonymousAuthorizer(settings)
    }

    /// Reads a file of one word a line, in lower case.
    private static func readList(
        _ file: String,
        _ option: String,
        _ report: ConfigurationReport
    ) throws(ServerError) -> Set<String> {
        do throws(SystemError) {
            let content = try readFile(at: file, maximumByteCount: 1_048_576)
            return Set(UserList(content, denies: false).names.map { $0.lowercased() })
        } catch {
            throw .option(
                option,
                file,
                report,
                "cannot be read (\(error))",
                mend: "name a readable file, or switch the list off"
            )
        }
    }
}

extension ListenerSettings {
    /// Has the address of a name that PASV announces looked up again and again.
    mutating func announce(_ address: IPAddress?, _ passive: Configuration.Passive) {
        guard let name = passive.announcedName else { return }
        announcedName = AnnouncedName(name, address, interval: passive.resolveInterval)
        warden.looksUpAnnouncedAddress = true
    }
}
