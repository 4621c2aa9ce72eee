package import Authentication
package import FTPProtocol
package import FileSystem
package import LinuxSystem
package import Logging

/// What a session asks of whoever decides for it: who may log in, where data connections come from,
/// what is written into the log.
///
/// ``WardenClient`` asks the privileged process of the connection, which believes nothing that the
/// session says. A server inside another program has a form of its own, without a process.
package protocol SessionWarden: AnyObject {
    /// What to wait for with `poll(2)`; readable when there is something to say unasked, and -1 when
    /// there never will be again.
    var pollNumber: CInt { get }

    /// Why the session is to finish, if it is.
    var finishReason: FinishReason? { get }

    /// Takes what was said unasked, once ``pollNumber`` is readable.
    func takeNotice() throws(WardenGone)

    // MARK: Login

    /// Has a password checked that came without TLS (`isClear`) or with it; takes as long as that
    /// takes, up to `limit`.
    func authenticate(
        user: String,
        password: consuming Secret,
        isClear: Bool,
        limit: Duration
    ) throws(WardenGone) -> LoginOutcome

    /// Answers what was asked besides the password.
    func answer(
        _ secret: consuming Secret,
        limit: Duration
    ) throws(WardenGone) -> LoginOutcome

    /// Gives a login up instead of answering; it is refused then.
    func giveUp(limit: Duration) throws(WardenGone) -> LoginOutcome

    /// Shows the handshake in which the client showed its certificate.
    ///
    /// - Returns: Whether it proves anything.
    func showCertificate(_ recording: [UInt8]) throws(WardenGone) -> Bool

    /// Asks to let a user in by the certificate alone; takes as long as that takes, up to `limit`.
    func admit(user: String, limit: Duration) throws(WardenGone) -> LoginOutcome

    /// Names the client that a proxy speaks for; only once, and before anything else.
    ///
    /// - Returns: Why the client is turned away, or `nil`.
    func name(client: SocketAddress) throws(WardenGone) -> ClientRefusal?

    /// Ends the login, so that another user may log in.
    func endLogin() throws(WardenGone)

    // MARK: What others share

    /// Charges bytes that were moved to the rates of the user and of the whole server.
    ///
    /// - Parameter byteCount: At least 1, and at most ``SharedRates/pieceByteCount(_:)``.
    /// - Returns: When more may be moved, and whether these bytes are charged; if they are not, they
    ///   have to be named again then.
    /// - Throws: ``WardenGone``.
    func charge(_ byteCount: Int) throws(WardenGone) -> (next: Deadline, isCharged: Bool)

    /// What a user or a group is called (`text_userdb_names`).
    func name(of account: AccountNumber) throws(WardenGone) -> String?

    /// The sessions of the user who logged in, the oldest first.
    func listSessions() throws(WardenGone) -> [SessionEntry]

    // MARK: Data connections

    /// Asks for a socket that listens for a passive data connection.
    ///
    /// - Parameter work: What there is to do while the socket is made elsewhere.
    /// - Returns: The socket, or why there is none.
    /// - Throws: ``WardenGone``.
    func listenForData(meanwhile work: () -> Void) throws(WardenGone) -> DataSocketOutcome

    /// Asks for a socket on its way to `remote`.
    func connectForData(to remote: SocketAddress) throws(WardenGone) -> DataSocketOutcome

    // MARK: Logs

    /// Writes a line into the log, with whose session it is.
    func log(_ level: Logger.Level, _ text: String)

    /// Writes a line about what the user did into the log.
    ///
    /// Other lines do not crowd it out: whoever does too much at once has to wait.
    func logAction(_ level: Logger.Level, _ text: String)

    /// Has a TLS handshake counted (`metrics_address`).
    func count(_ report: HandshakeReport)

    /// Writes what the user did into the logs of transfers.
    func record(_ action: LoggedAction)

    /// Writes what the user did into the audit trail, and waits until that is done.
    func audit(_ action: AuditedAction) throws(WardenGone)

    /// Tells what protects the control connection from here on, for the audit trail.
    func noteTLS(_ tls: AuditedTLS) throws(WardenGone)

    /// Writes a line that the client sent, or was sent, into vsftpd's log.
    func recordLine(_ text: [UInt8], isReply: Bool)

    /// Has every log line from here on say that the session works in clear, or no longer say so.
    func markClear(_ isClear: Bool) throws(WardenGone)
}

/// The session has lost whoever decides for it, and has to end.
package struct WardenGone: Error, Hashable, Sendable {}

/// How a login went.
package enum LoginOutcome: ~Copyable {
    /// The user is in.
    case granted(LoginGrant)
    /// Not in; after the last attempt the session has to end.
    case refused(RefusalNotice, isLast: Bool)
    /// Not in yet; something besides the password is asked for.
    case needsAccount
    /// Not in yet; the certificate is not the user's, and the password may be.
    case needsPassword
    /// The check took too long; the session has to end.
    case timedOut

    /// Whether the certificate was not enough, and the password is still to be asked for.
    package var asksForPassword: Bool {
        switch self {
        case .needsPassword: true
        default: false
        }
    }
}

/// What a login brings.
package struct LoginGrant: ~Copyable {
    /// What the session has to know.
    package let terms: LoginTerms

    /// The user's files.
    package let fileSystem: any FileSystem

    /// The channel to the process that opens them, which hangs up when that one is gone; -1 where
    /// there is none.
    package let agentNumber: CInt

    /// The directory that the login sees as `/`, where the session may know it.
    package let root: String?

    init(
        terms: LoginTerms,
        fileSystem: any FileSystem,
        agentNumber: CInt = -1,
        root: String? = nil
    ) {
        self.root = root
        self.terms = terms
        self.fileSystem = fileSystem
        self.agentNumber = agentNumber
    }

    init(terms: LoginTerms, agent: consuming MessageSocket) {
        let fileSystem = RemoteFileSystem(agent)
        self.init(
            terms: terms,
            fileSystem: fileSystem,
            agentNumber: fileSystem.channel.descriptor.number,
            root: terms.root
        )
    }
}

/// How the wish for a data socket went.
package enum DataSocketOutcome: ~Copyable {
    /// The socket, and the port that it listens on or connects to.
    ///
    /// With them comes what PASV announces, where that may change (`pasv_addr_resolve`).
    case socket(OwnedDescriptor, port: UInt16, announced: IPAddress?)
    /// There is none.
    case failed(DataSocketFailure)
}
