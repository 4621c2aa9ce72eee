internal import Authentication
internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import LinuxSystem
internal import Logging
internal import TLS

/// What a program's server was asked to be, checked, and in the daemon's own terms.
struct ServerPlan: Sendable {
    let handler: FTPHandler.Type
    let settings: FTPHandler.Settings
    let logger: Logger
    let port: ControlPort
    let certificate: TLSCertificate?
    var configuration: Configuration
    private let advertisedAddress: IPAddress?
    private let host: String

    init(
        _ address: ServerAddress,
        _ handler: FTPHandler.Type,
        _ settings: FTPHandler.Settings,
        _ logger: Logger
    ) throws(ServerError) {
        loadTimeZone()
        self.handler = handler
        self.settings = settings
        self.logger = logger
        host = address.host
        let usesTLS = handler is TLS_FTPHandler.Type
        port = ControlPort(
            try address.socketAddress,
            usesTLS && settings.implicitTLS ? .implicitTLS : .explicitTLS
        )
        certificate = usesTLS ? try settings.readCertificate() : nil
        try CustomCommand.check(settings.commands)
        configuration = try settings.configuration
        configuration.tls.isEnabled = usesTLS
        if !usesTLS { configuration.tls.takesPlainSystemLogins = true }
        advertisedAddress = try settings.masqueradeAddress.map { (text) throws(ServerError) in
            try FTPHandler.Settings.ipv4(text, "masqueradeAddress")
        }
    }

    /// What clients are told for whom there is no room, in the handler's words.
    var refusalReply: @Sendable (ClientRefusal) -> [UInt8] {
        let all = Reply(421, handler.handleMaxConnections()).encoded
        let one = Reply(421, handler.handleMaxConnectionsPerIP()).encoded
        return { refusal in
            switch refusal {
            case .tooManyClients: all
            case .tooManyFromAddress: one
            default: refusal.reply.encoded
            }
        }
    }

    /// Whether the kernel may have to send files by itself.
    var sendsFiles: Bool {
        settings.useSendfile && (!configuration.tls.isEnabled || !settings.tlsDataRequired)
    }

    /// Until when events are waited for once the last session has ended.
    var endOfEvents: Deadline { Deadline(after: configuration.timeouts.shutdown) }

    /// Says that events are left which nobody waits for.
    func note(_ isDone: Bool?) {
        if isDone == false { logger.error("events are left that were not acted on in time") }
    }

    /// Where the server listens.
    func address(_ ports: [ControlPort]) -> ServerAddress {
        ServerAddress(host, ports.first?.address.port ?? port.address.port)
    }

    /// What one handler works with.
    func handlerSettings(_ context: TLSContext?) -> HandlerSettings {
        var made = HandlerSettings(
            configuration: configuration,
            tls: context,
            advertisedAddress: advertisedAddress,
            hasUsersOfItsOwn: true,
            logLevel: logger.logLevel
        )
        made.embedding = settings
        return made
    }

    /// The context of sessions that have their handshakes signed elsewhere.
    func remoteContext() throws(ServerError) -> TLSContext? {
        guard let certificate else { return nil }
        let files = certificate.files
        do throws(TLSError) {
            return try TLSContext.server([files], keys: .elsewhere, policy: certificate.policy)
        } catch {
            throw ServerError("certificate: \(files.certificate): \(error)")
        }
    }

    /// The files of a login, where the program keeps them in its own way.
    func files(_ account: Account, _ root: String, _ jail: Jail?) throws -> AbstractedFS {
        let type = settings.abstractedFS ?? AbstractedFS.self
        return try type.init(
            FileLogin(
                user: account.name,
                home: root,
                attachment: settings.attachment,
                jail: jail
            )
        )
    }

    /// Whom a process with the program's rights asks, one after the other; all of PAM, where it is
    /// the system's users.
    var separatedAuthorizers: [any Authentication.Authorizer] {
        guard let unix = settings.authorizer as? UnixAuthorizer else {
            return [AuthorizerAdapter(settings.authorizer)]
        }
        return [AnonymousAdapter(unix), Authentication.UnixAuthorizer(unix.settings)]
    }
}

extension FTPHandler.Settings {
    var policy: TLSPolicy {
        get throws(ServerError) {
            var policy = TLSPolicy(
                level: tlsOptions.approvedOnly ? .fips : .intermediate,
                allows12: tlsMinimumVersion == .tls12
            )
            guard let list = tlsOptions.ciphers else { return policy }
            let choice = SuiteChoice(list, policy)
            guard !choice.isEmpty else {
                throw ServerError(
                    "tlsOptions.ciphers: `\(list)` names no suite with authenticated encryption and"
                        + " forward secrecy: write HIGH, or nil"
                )
            }
            policy.choice = choice
            policy.allows12 = policy.allows12 && !choice.suites12.isEmpty
            policy.allows13 = !choice.suites13.isEmpty
            return policy
        }
    }

    /// Reads the certificate that TLS needs.
    func readCertificate() throws(ServerError) -> TLSCertificate {
        if let tlsContext {
            // It was made with options of its own, which these would only seem to change.
            guard tlsOptions.ciphers == nil, !tlsOptions.approvedOnly,
                tlsMinimumVersion == .tls12
            else {
                throw ServerError(
                    "tlsContext: version and suites were settled when it was read: name them there"
                )
            }
            return tlsContext
        }
        guard let certificate else {
            throw ServerError(
                "certificate: TLS_FTPHandler needs one: name a PEM file, or serve FTPHandler"
            )
        }
        return try TLSCertificate(
            CertificateFiles(certificate: certificate, privateKey: key ?? certificate),
            try policy
        )
    }

    static func ipv4(_ text: String, _ name: String) throws(ServerError) -> IPAddress {
        guard let address = IPAddress(text), address.family == .ipv4 else {
            throw ServerError("\(name): `\(text)` is no IPv4 address: write one in numbers")
        }
        return address
    }

    /// The same wishes, as the configuration file would put them.
    var configuration: Configuration {
        get throws(ServerError) {
            guard passivePorts.lowerBound > 0 else {
                throw ServerError("passivePorts: 0 is no port: begin at 1 or above")
            }
            var configuration = Configuration()
            configuration.session.banner = banner
            configuration.timeouts.idle = timeout
            configuration.timeouts.login = loginTimeout
            configuration.timeouts.data = dataTimeout
            configuration.timeouts.accept = passiveTimeout
            configuration.timeouts.connect = activeTimeout
            configuration.login.maximumFailures = maxLoginAttempts
            configuration.listening.bans.failures = banFailures
            configuration.listening.userLocks.failures = userLockFailures
            configuration.login.failureDelay = authFailedTimeout
            configuration.login.maximumFailureDelay = max(.seconds(16), authFailedTimeout)
            configuration.passive.minimumPort = passivePorts.lowerBound
            configuration.passive.maximumPort = passivePorts.upperBound
            configuration.passive.isPromiscuous = permitForeignAddresses
            for (local, announced) in masqueradeAddressMap.sorted(by: { $0.key < $1.key }) {
                configuration.passive.masquerades.append(
                    Masquerade(
                        local: try Self.ipv4(local, "masqueradeAddressMap"),
                        announced: try Self.ipv4(announced, "masqueradeAddressMap")
                    )
                )
            }
            configuration.active.isEnabled = allowsActiveMode
            configuration.active.isPromiscuous = permitForeignAddresses
            configuration.active.allowsPrivilegedPorts = permitPrivilegedPorts
            configuration.files.allowsWriting = true
            configuration.files.umask = umask
            configuration.files.usesLocalTime = !useGMTTimes
            configuration.files.deletesFailedUploads = deletesFailedUploads
            configuration.uploads.isAtomic = atomicUploads
            let own = dtpHandler as? ThrottledDTPHandler.Type
            configuration.rates.upload = lower(readLimit, own?.readLimit ?? 0)
            configuration.rates.download = lower(writeLimit, own?.writeLimit ?? 0)
            configuration.tls.requiredForLogin = tlsControlRequired
            configuration.tls.takesPlainSystemLogins = !tlsControlRequired
            configuration.tls.requiredForData = tlsDataRequired
            configuration.tls.requiresReuse = requiresSessionReuse
            configuration.tls.isImplicit = implicitTLS
            configuration.tls.requiresALPN = tlsOptions.requiresALPN
            configuration.tls.handshakeTimeout = tlsOptions.handshakeTimeout
            configuration.tls.strictReadEOF = !tlsOptions.allowsTruncation
            return configuration
        }
    }
}

/// The lower of two rates, of which 0 is none.
private func lower(_ one: Int, _ other: Int) -> Int {
    [one, other].filter { $0 > 0 }.min() ?? 0
}
