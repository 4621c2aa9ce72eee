internal import Authentication
internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import LinuxSystem
internal import Logging
internal import TLS

/// One session: the FTP commands over a control connection (RFC 959).
///
/// This class speaks plain FTP. ``TLS_FTPHandler`` adds TLS and the rules that require it; the
/// daemon always runs that one, and it lets plain sessions through only when the administrator
/// opted out.
///
/// Written as plain blocking code: the process has one session and nothing else to do.
class FTPHandler {
    /// Commands that make no sense before a session ends: enough for a confused client, too few for
    /// an attack that smuggles another protocol's text in (ALPACA).
    static let maximumErrorCount = 10

    let settings: HandlerSettings

    /// What holds for this session: everybody's configuration, and the user's own once logged in.
    private(set) var configuration: Configuration
    let warden: WardenClient
    let control: ControlChannel
    /// What a client that shows a certificate has to sign; empty where none is proved.
    let challenge: [UInt8]
    let peer: SocketAddress
    let local: SocketAddress

    /// How the client has to begin.
    let kind: ControlPort.Kind

    /// The host that HOST named.
    var host: HostName?

    /// What USER named, until the login.
    var userName: String?

    /// Whose password has been taken, and who was asked for more (reply 332).
    var pendingUser: String?

    /// The login, once it stands.
    var login: LoginState?

    var workingDirectory = VirtualPath.root

    private(set) lazy var ownerNames = OwnerNames(warden)

    /// Where the message of the directory was shown (`dirmessage_enable`).
    var visitedDirectories: Set<VirtualPath> = []
    var type = TransferType.ascii

    /// The part of a file that the next transfer is about (REST, RANG); `nil` for all of it.
    var nextPart: ByteRange?

    var renameSource: VirtualPath?
    var machineFacts = MachineFacts.standard

    /// How bytes are sent (MODE).
    var mode = TransferMode.stream

    /// How MODE Z compresses (OPTS MODE Z).
    var deflateOptions = DeflateOptions()

    /// What CPFR named.
    var copySource: VirtualPath?

    /// How HASH hashes (OPTS HASH).
    var hashAlgorithm = HashAlgorithm.sha256

    /// What SITE UMASK set.
    var fileModeMask: UInt16?

    /// What SITE IDLE set.
    var idleTimeout: Duration?

    /// Where the next data connection comes from (PASV, EPSV).
    var dataSource: (any DataSource)?

    /// Where the next data connection leads to (PORT, EPRT).
    var activeTarget: SocketAddress?

    /// After EPSV ALL every other way to set up a data connection is refused (RFC 2428 section 4).
    var allowsOnlyExtendedPassive = false

    /// The transfer that runs.
    var transfer: TransferState?

    /// QUIT came while a transfer ran.
    var isQuitting = false

    var errorCount = 0

    /// Whether log lines say that the session works in clear.
    var isLogMarkedClear = false

    /// When a client that has not logged in is sent away (`login_timeout`).
    private(set) var loginDeadline: Deadline
    private(set) lazy var buffer = TransferBuffer()

    /// Prepares to serve a client that has just connected.
    required init(_ start: consuming SessionStart, _ settings: HandlerSettings) {
        self.settings = settings
        configuration = settings.configuration
        warden = start.warden
        challenge = start.challenge
        peer = start.peer
        local = start.local
        kind = start.kind
        let stream = NetworkStream(owning: start.takeControl(), peer: peer)
        stream.descriptor.sendWithoutDelay()
        stream.descriptor.keepAlive()
        stream.descriptor.receiveUrgentDataInline()
        control = ControlChannel(stream)
        loginDeadline = Deadline(after: settings.configuration.timeouts.login)
    }

    /// Serves the client until the session ends.
    final func run() {
        do throws(SessionEnd) {
            try begin()
            while true {
                try handle(try nextEvent())
            }
        } catch {
            end(error)
        }
    }

    // MARK: What a subclass changes

    /// Greets the client.
    func begin() throws(SessionEnd) {
        try reply(settings.greeting)
    }

    /// Why USER is refused before anything else is looked at, or `nil`.
    ///
    /// `user` is `nil` where somebody has yet to be named.
    func refusalOfLogin(of user: String?) -> Reply? { nil }

    /// Whether the client's certificate may let a user in without a password.
    var mayAdmitByCertificate: Bool { false }

    /// Why a transfer is refused at the present protection level, or `nil`.
    func refusalOfTransfer() -> Reply? { nil }

    /// The protection level of the next data connection.
    var protectionLevel: ProtectionLevel { .clear }

    /// What TLS data connections use.
    var tlsContext: TLSContext? { nil }

    /// Called right before a reply after which the client may make a data connection or has logged
    /// in: the moment for a session ticket.
    func prepareForDataConnection() throws(SessionEnd) {}

    /// Moves the bytes of a transfer.
    func makeDTPHandler(_ stream: NetworkStream, wait: @escaping DTPHandler.Wait) -> DTPHandler {
        guard let pacing = login?.pacing, pacing.isLimited else {
            return DTPHandler(stream, buffer: buffer, wait: wait)
        }
        let handler = ThrottledDTPHandler(stream, buffer: buffer, wait: wait)
        pacing.apply(to: handler)
        let warden = warden
        handler.chargeServer = { (byteCount) throws(TransferFailure) in
            do throws(WardenGone) {
                return try warden.charge(byteCount)
            } catch {
                throw .session(.processGone)
            }
        }
        return handler
    }

    /// Whether AUTH is announced.
    var offersTLS: Bool { false }

    /// AUTH (RFC 4217).
    func authenticateSecurity(_ mechanism: [UInt8]) throws(SessionEnd) {
        try reply(502, "TLS is not available on this server.")
    }

    /// PBSZ (RFC 4217 section 8).
    func setProtectionBufferSize(_ argument: [UInt8]) throws(SessionEnd) {
        try reply(503, "PBSZ needs a secure connection.")
    }

    /// PROT (RFC 4217 section 9).
    func setProtectionLevel(_ argument: [UInt8]) throws(SessionEnd) {
        try reply(503, "PROT needs a secure connection.")
    }

    /// CCC (RFC 4217 section 5).
    func clearControlConnection() throws(SessionEnd) {
        try reply(533, "The control connection is not protected.")
    }

    /// REIN (RFC 959 section 4.1.1).
    func reinitialize() throws(SessionEnd) {
        try endLogin()
        forgetUser()
        try reply(220, "Service ready for new user.")
    }

    /// Begins the login that the Warden has granted.
    final func beginLogin(
        _ user: String,
        _ terms: LoginTerms,
        _ fileSystem: RemoteFileSystem
    ) throws(SessionEnd) {
        var options = UserOptions(over: settings.configuration)
        do throws(LoginRefusal) {
            try options.apply(terms.options, from: "user")
        } catch {
            // The Warden accepted them a moment ago.
            throw .processGone
        }
        configuration = options.configuration
        var shared: RateLimiter?
        if configuration.rates.user > 0 {
            do throws(WardenGone) {
                shared = try warden.sharedLimiter(rate: configuration.rates.user)
            } catch {
                throw .processGone
            }
            // A limit that cannot be shared still holds for this session.
            if shared == nil { shared = RateLimiter(rate: configuration.rates.user) }
        }
        login = LoginState(
            user: user,
            terms: terms,
            fileSystem: fileSystem,
            pacing: TransferPacing(
                configuration.rates,
                isAnonymous: terms.isAnonymous,
                user: shared
            )
        )
        workingDirectory = terms.workingDirectory
    }

    /// Ends the login, if there is one: the Agent goes, and the PAM session is closed.
    final func endLogin() throws(SessionEnd) {
        guard login.take() != nil else { return }
        configuration = settings.configuration
        // The Warden closes the port of a login with it.
        dataSource = nil
        do throws(WardenGone) {
            try warden.endLogin()
        } catch {
            throw .processGone
        }
        loginDeadline = Deadline(after: configuration.timeouts.login)
    }

    /// Forgets who logged in and everything that was set up for it.
    final func forgetUser() {
        userName = nil
        host = nil
        workingDirectory = .root
        visitedDirectories = []
        type = .ascii
        nextPart = nil
        renameSource = nil
        mode = .stream
        deflateOptions = DeflateOptions()
        copySource = nil
        machineFacts = .standard
        hashAlgorithm = .sha256
        fileModeMask = nil
        idleTimeout = nil
        dataSource = nil
        activeTarget = nil
        allowsOnlyExtendedPassive = false
    }
}

/// What a handler needs to know, made before the fork and never changed.
struct HandlerSettings {
    /// The administrator's wishes.
    let configuration: Configuration

    /// Certificate and policy; `nil` with `ssl_enable=NO`.
    var tls: TLSContext?

    /// The IPv4 address for replies to PASV (`pasv_address`).
    let advertisedAddress: IPAddress?

    /// Whether somebody may log in who is neither anonymous nor an account of the system.
    let hasUsersOfItsOwn: Bool

    /// Lines below this level are not even sent to the Warden.
    let logLevel: Logger.Level
}

/// A login as the session knows it.
struct LoginState {
    let user: String
    let terms: LoginTerms
    let fileSystem: RemoteFileSystem
    let pacing: TransferPacing
}

/// A transfer that runs, for STAT and ABOR.
struct TransferState {
    let command: String
    let path: String
    var handler: DTPHandler?
    /// How far work without a data connection is.
    var byteCount: Int64 = 0
    var isAborted = false
}

extension HandlerSettings {
    /// What a client is greeted with (`ftpd_banner`).
    var greeting: Reply {
        let lines = configuration.session.banner?.split(separator: "\n").map(String.init) ?? []
        return Reply(220, lines: lines.isEmpty ? ["FTP server ready."] : lines)
    }
}
