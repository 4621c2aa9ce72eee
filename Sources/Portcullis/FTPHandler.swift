internal import Authentication
internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import LinuxSystem
internal import Logging
internal import TLS

/// One session: the FTP commands over a control connection (RFC 959).
///
/// Speaks plain FTP. ``TLS_FTPHandler`` adds TLS and the rules that require it: subclass that one
/// unless the network is somebody else's to protect. Give the type to ``FTPServer``, which makes one
/// handler for each client. A handler is used by the thread, or the process, of its session alone
/// (``Concurrency``), so a subclass may keep whatever it likes in its own properties.
///
/// Everything is plain blocking code. What a method does, the client waits for, and nobody else.
///
/// ## What a subclass overrides
/// The hooks, `on…`, are called when something has happened; their own implementations do nothing,
/// so nothing has to call `super`. None is handed a password. The others, `handle…`,
/// ``processCommand(_:)`` and ``flushAccount()``, do the work, and `super` does what is usual.
open class FTPHandler {
    /// Commands that make no sense before a session ends: enough for a confused client, too few for
    /// an attack that smuggles another protocol's text in (ALPACA).
    static let maximumErrorCount = 10

    private let sharedSettings: SharedSettings

    final var settings: HandlerSettings { _read { yield sharedSettings.value } }

    /// What holds for the user who is logged in, where that differs from everybody's.
    final var userConfiguration: UserConfiguration?

    /// What holds for this session: everybody's configuration, and the user's own once logged in.
    final var configuration: Configuration {
        _read {
            if let userConfiguration {
                yield userConfiguration.value
            } else {
                yield sharedSettings.value.configuration
            }
        }
    }

    let warden: any SessionWarden
    /// Where the session writes what it is at, for administrators.
    let board: SessionBoard
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

    /// The last reply that was sent, where a program is told of it (``logCommand(_:code:reply:)``).
    var lastReply: Reply?

    /// The command of which a record is to be written (`audit_log_file`).
    var audited: AuditedCommand?

    /// A command is carried out while another one's transfer runs.
    var isServingDuringTransfer = false

    /// Whether log lines say that the session works in clear.
    var isLogMarkedClear = false

    /// When a client that has not logged in is sent away (`login_timeout`).
    var loginDeadline: Deadline
    private var transferBuffer: TransferBuffer?

    /// What transfers and other work with files move bytes through.
    final var buffer: TransferBuffer {
        if let transferBuffer { return transferBuffer }
        let made = TransferBuffer()
        transferBuffer = made
        return made
    }

    /// Nothing has happened for a while, and memory that was free is given back.
    var isAtRest = false

    /// What was asked for by ``close()``.
    var isClosing = false

    let timers = SessionTimers()

    /// How the client writes names.
    var encoding: NameEncoding

    /// Only the last words are still to be said.
    var isEnding = false

    /// Prepares to serve a client that has just connected.
    ///
    /// - Parameter session: What the server hands over, for one handler alone.
    public required init(_ session: FTPSession) {
        sharedSettings = session.settings
        let start = session.takeStart()
        warden = start.warden
        board = start.board
        challenge = start.challenge
        peer = start.peer
        local = start.local
        kind = start.kind
        let stream = NetworkStream(owning: start.takeControl(), peer: peer)
        if sharedSettings.value.sendsWithoutDelay { stream.descriptor.sendWithoutDelay() }
        stream.descriptor.keepAlive()
        stream.descriptor.receiveUrgentDataInline()
        control = ControlChannel(stream)
        loginDeadline = Deadline(after: sharedSettings.value.configuration.timeouts.login)
        encoding = sharedSettings.value.encoding
    }

    /// Gives back what nothing is moved through at present; a transfer that goes on has its own hold on it.
    final func releaseBuffer() { transferBuffer = nil }

    // MARK: Hooks

    /// Called when a client has connected, before it is greeted.
    ///
    /// ``close()`` turns it away.
    open func onConnect() {}

    /// Called when the connection is closed, as the last thing in a session.
    open func onDisconnect() {}

    /// Called when a user has logged in, after the reply that says so.
    open func onLogin(user: String) {}

    /// Called when a login failed, after the reply that says so.
    ///
    /// The password is not passed on, so that no subclass can log it.
    ///
    /// - Parameter user: What the client sent after USER, without control characters. Often a
    ///   password that was typed in the wrong place.
    open func onLoginFailed(user: String) {}

    /// Called when a login has ended: by REIN, by AUTH, or with the session.
    open func onLogout(user: String) {}

    /// Called when a client has taken a whole file (RETR), after the reply that says so.
    open func onFileSent(_ file: TransferredFile) {}

    /// Called when a whole file was stored (STOR, STOU, APPE), after the reply that says so.
    ///
    /// The client has been told that the file is safe; what happens to it from here on is the
    /// program's affair.
    open func onFileReceived(_ file: TransferredFile) {}

    /// Called when a client has not taken all of a file, after the reply.
    open func onIncompleteFileSent(_ file: TransferredFile) {}

    /// Called when an upload broke off, after the reply.
    ///
    /// What has come of it is kept for the client to go on with, unless
    /// ``Settings/deletesFailedUploads`` says otherwise.
    open func onIncompleteFileReceived(_ file: TransferredFile) {}

    // MARK: What may be done in another way

    /// Greets the client.
    ///
    /// - Throws: ``SessionEnd`` when the client is gone.
    open func handle() throws(SessionEnd) { try begin() }

    /// What a client is told, with code 421, that finds ``FTPServer/maximumConnections`` sessions.
    ///
    /// Called by whoever accepts, without a session; under ``Concurrency/processes`` once, before
    /// the server serves.
    open class func handleMaxConnections() -> String {
        "There are too many connected users, please try later."
    }

    /// What a client is told, with code 421, whose address has as many sessions as it may have.
    ///
    /// Called by whoever accepts, without a session; under ``Concurrency/processes`` once, before
    /// the server serves.
    open class func handleMaxConnectionsPerIP() -> String {
        "There are too many connections from your internet address."
    }

    /// Called when the client has sent nothing for ``Settings/timeout``; the session ends after it.
    open func handleTimeout() { try? reply(421, "Timeout.") }

    /// Carries a command out, once its login, its permission and its argument have been looked at.
    ///
    /// - Parameter command: What the client sent. The argument of PASS and ACCT cannot be read.
    /// - Throws: ``SessionEnd`` when the session has to end.
    open func processCommand(_ command: FTPCommand) throws(SessionEnd) { try carryOut(command) }

    /// Writes the line that shows an entry in LIST and STAT, without its line end.
    ///
    /// Called while the listing is sent, in the session under both forms of ``Concurrency``: by itself
    /// it writes what `ls -l` does. A subclass changes `entry` and calls `super`, or writes a line of
    /// its own. NUL, CR and LF in it are sent as `?`, as those in names are, so that a name that somebody
    /// has chosen cannot look like two; an empty line is left out.
    ///
    /// - Parameters:
    ///   - entry: What to show.
    ///   - directory: Where it is.
    /// - Returns: The line.
    open func formatList(_ entry: FTPFileEntry, in directory: FTPPath) -> [UInt8] {
        var line: [UInt8] = []
        usualFormat(classifies: entry.isClassified)(entry.view, &line)
        return line.dropLast(2)
    }

    /// Writes the facts of an entry for MLSD and MLST, such as `type=file;size=5;`, without the name.
    ///
    /// Called like ``formatList(_:in:)``; by itself it writes the facts that the client has asked for
    /// (OPTS MLST). Spaces, control characters and what is not ASCII are sent as `?`, because the name
    /// begins behind the first space (RFC 3659 section 7.2), and a `;` that is missing at the end is
    /// added. A value that holds what somebody else has written should hold no `;` of theirs.
    ///
    /// - Parameters:
    ///   - entry: What to describe.
    ///   - directory: Where it is.
    /// - Returns: The facts.
    open func formatMLSx(_ entry: FTPFileEntry, in directory: FTPPath) -> [UInt8] {
        usualFacts(entry)
    }

    /// Forgets who logged in and everything that was set up for it.
    ///
    /// Called for REIN, and when TLS begins: what was said in clear may have been somebody else's
    /// words.
    open func flushAccount() { forgetUser() }

    /// What stands in front of each of this session's lines in the log.
    ///
    /// The log adds the client's address and the user by itself.
    open var logPrefix: String { "" }

    /// What the log is to have of a command that was answered, beside the usual lines; `nil` for
    /// nothing, which it is by itself.
    ///
    /// Called when the last reply to a command has been sent, also to one that was refused. What is no
    /// command of ours and none of the program's (500, behind SITE too) does not come here: it may hold
    /// a password, typed in the wrong place or for another server. Control characters in what is returned
    /// are escaped, as everywhere in the log.
    ///
    /// - Parameters:
    ///   - command: What the client sent. The argument of PASS and ACCT cannot be read.
    ///   - code: The code of the reply.
    ///   - reply: The first line of its text.
    /// - Returns: One line.
    open func logCommand(_ command: FTPCommand, code: UInt16, reply: String) -> String? { nil }

    /// What the log says of a transfer, listings among them; `nil` for nothing.
    ///
    /// Called when the transfer has ended, before the client is told so. Control characters in what is
    /// returned are escaped, as everywhere in the log.
    ///
    /// - Parameters:
    ///   - command: The command, such as `RETR`.
    ///   - file: What was transferred; the path of a directory for listings.
    ///   - isWhole: Whether all of it was.
    ///   - line: What the log says by itself.
    /// - Returns: One line.
    open func logTransfer(
        _ command: String,
        _ file: TransferredFile,
        isWhole: Bool,
        line: String
    ) -> String? { line }

    // MARK: What TLS changes

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
    final func makeDTPHandler(
        _ stream: NetworkStream,
        wait: @escaping DTPHandler.Wait
    ) -> DTPHandler {
        let type = settings.embedding?.dtpHandler ?? usualDTPHandler
        let handler = type.init(DTPTransfer(self, stream, wait))
        handler.usesSendfile =
            settings.embedding?.useSendfile ?? settings.configuration.sendsFilesInClear
        handler.toleratesTruncation = !configuration.tls.strictReadEOF
        handler.requiresShutdownReply = configuration.tls.strictWriteShutdown
        guard let throttle = login?.pacing.makeThrottle() else { return handler }
        let own = type as? ThrottledDTPHandler.Type
        throttle.autoSizesBuffers =
            (settings.embedding?.autoSizedBuffers ?? true) && (own?.autoSizedBuffers ?? true)
        let warden = warden
        throttle.chargeShared = { (byteCount) throws(TransferFailure) in
            do throws(WardenGone) {
                return try warden.charge(byteCount)
            } catch {
                throw .session(.processGone)
            }
        }
        handler.throttle = throttle
        return handler
    }

    /// What moves the bytes of transfers where the program names nothing else.
    var usualDTPHandler: DTPHandler.Type { DTPHandler.self }

    /// Called when our end of the control connection was closed, as far as TLS goes.
    func noteShutdown() {}

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
        flushAccount()
        try reply(220, "Service ready for new user.")
    }
}
