extension FTPHandler {
    /// What holds for all sessions of a server.
    ///
    /// A value: what is changed after the server was made has no effect on it, and two servers share
    /// nothing. The names are those of pyftpdlib's attributes in Swift's spelling.
    public struct Settings: Sendable {
        /// Who may log in, and what they may do.
        public var authorizer: any Authorizer

        /// What the client is greeted with, lines separated by LF; `nil` for the usual words.
        ///
        /// Clients that have not logged in read it: do not name the program or its version.
        public var banner: String?

        /// How long a client may send nothing between two commands (RFC 959 section 5.4, 421).
        public var timeout: Duration = .seconds(300)

        /// How long a client may take to log in, whatever it sends meanwhile.
        public var loginTimeout: Duration = .seconds(120)

        /// How long a transfer may make no progress; the session ends then.
        public var dataTimeout: Duration = .seconds(300)

        /// How long a client may take to open the data connection that it has asked for (PASV, EPSV).
        public var passiveTimeout: Duration = .seconds(30)

        /// How long a client may take to accept the data connection that it has asked for (PORT,
        /// EPRT).
        public var activeTimeout: Duration = .seconds(30)

        /// Failed logins after which the session ends.
        public var maxLoginAttempts = 3

        /// The wait before a failed login is answered; it doubles as failures repeat, up to 16 seconds
        /// or this time, whichever is more.
        public var authFailedTimeout: Duration = .seconds(3)

        /// Failed logins from one address within ten minutes that ban it for ten minutes; 0 for none.
        public var banFailures = 20

        /// Failed logins in one user's name within fifteen minutes that lock the user out for half an
        /// hour; 0 for none, since whoever knows a name can lock it out.
        public var userLockFailures = 0

        /// Whether data connections may lead to, and come from, other addresses than the client's.
        ///
        /// Somebody else may then take a transfer, or have this server connect to a third host
        /// (RFC 2577 section 3).
        public var permitForeignAddresses = false

        /// Whether PORT and EPRT may name ports below 1024 (RFC 2577 section 3).
        public var permitPrivilegedPorts = false

        /// The IPv4 address that PASV announces, for servers behind a NAT; `nil` for the one that the
        /// client has connected to.
        ///
        /// EPSV needs none.
        public var masqueradeAddress: String?

        /// What PASV announces to clients that have connected to one of these addresses of this
        /// machine; counts for more than ``masqueradeAddress``.
        public var masqueradeAddressMap: [String: String] = [:]

        /// The ports on which data connections are awaited, chosen at random.
        ///
        /// A session has one at a time. When all are taken the client is told so (425).
        public var passivePorts: ClosedRange<UInt16> = 5_001...65_535

        /// Whether PORT and EPRT are served.
        public var allowsActiveMode = true

        /// Whether listings show times in UTC; in the time zone of this machine otherwise.
        ///
        /// MLSD and MDTM are always in UTC (RFC 3659).
        public var useGMTTimes = true

        /// Whether small packets are sent at once on control connections (`TCP_NODELAY`).
        ///
        /// Without it a client that waits for replies waits up to 40 ms for each.
        public var tcpNoDelay = true

        /// How clients write names; those that ask for UTF-8 (OPTS UTF8 ON, RFC 2640) have it.
        ///
        /// On the disk, and in everything that a program is handed, names are in UTF-8.
        public var encoding = TextEncoding.utf8

        /// What becomes of names that cannot be told: commands that are no UTF-8, and what the
        /// client's encoding does not have.
        public var encodingErrors = EncodingErrors.pass

        /// Whether the kernel sends files by itself over connections in clear (`sendfile(2)`), which
        /// spares a copy of each byte.
        ///
        /// Over TLS, in ASCII mode and in MODE Z every byte has to be touched. Under
        /// ``Concurrency/processes`` sessions may make this call only where ``tlsDataRequired`` is
        /// `false`, or the handler speaks plain FTP.
        public var useSendfile = true

        /// Bytes per second for the uploads of one session; 0 for any rate.
        public var readLimit = 0

        /// Bytes per second for the downloads and listings of one session; 0 for any rate.
        public var writeLimit = 0

        /// Whether the pieces that a limited transfer moves get smaller as the rate gets lower, so that
        /// it holds over any second; otherwise they are 64 KiB.
        public var autoSizedBuffers = true

        /// Permission bits taken from new files and directories.
        public var umask: UInt16 = 0o022

        /// Whether what an upload that broke off has left is removed; otherwise the client may go on
        /// with it (REST).
        public var deletesFailedUploads = false

        /// Whether a whole upload appears under its name at once, and until then under none.
        public var atomicUploads = false

        /// The server's certificate, with those of the authorities in between, in PEM.
        ///
        /// ``TLS_FTPHandler`` needs one; `nil` otherwise.
        public var certificate: String?

        /// The file with the certificate's key, in PEM; `nil` for the certificate's own file.
        public var key: String?

        /// A certificate that was read before, in place of ``certificate`` and ``key``.
        public var tlsContext: TLSCertificate?

        /// The oldest version of TLS that is spoken.
        public var tlsMinimumVersion = TLSVersion.tls12

        /// What of TLS is offered, and what is asked of clients.
        public var tlsOptions = TLSOptions()

        /// Whether a user may log in only over TLS (RFC 4217 section 4).
        public var tlsControlRequired = true

        /// Whether files and listings may be transferred only over TLS (PROT P, RFC 4217 section 9).
        public var tlsDataRequired = true

        /// Whether each data connection has to resume the TLS session of its control connection.
        ///
        /// Nobody else can take a transfer then, whatever their address. Python's `ftplib` cannot do
        /// it, so it is off; connections that do not resume have to come from the client's address.
        public var requiresSessionReuse = false

        /// Whether the client begins with TLS, without AUTH (port 990 by custom).
        public var implicitTLS = false

        /// What moves the bytes of transfers; `nil` for the usual ones.
        public var dtpHandler: DTPHandler.Type?

        /// What awaits data connections (PASV, EPSV); `nil` for the usual.
        public var passiveDTP: PassiveDTP.Type?

        /// What makes data connections (PORT, EPRT); `nil` for the usual.
        public var activeDTP: ActiveDTP.Type?

        /// What keeps the files of a login; `nil` for the kernel's files beneath the user's home.
        public var abstractedFS: AbstractedFS.Type?

        /// Commands of the program's own.
        public var commands: [CustomCommand] = []

        /// What acts on files that came and went, apart from the sessions.
        public var events: EventQueue?

        /// Something for the handlers, which find it as ``FTPHandler/attachment``.
        public var attachment: (any Sendable)?

        /// Creates the defaults.
        public init(authorizer: any Authorizer) {
            self.authorizer = authorizer
        }
    }

    /// How a client writes names.
    public enum TextEncoding: Sendable, Hashable {
        /// UTF-8 (RFC 2640).
        case utf8
        /// ISO 8859-1, for clients from before UTF-8.
        case latin1
        /// Windows-1252, for those that came with Windows.
        case windows1252
    }

    /// What becomes of names that cannot be told (RFC 2640).
    public enum EncodingErrors: Sendable, Hashable {
        /// Names are bytes, and pass as they are.
        case pass
        /// Commands with them are refused (501), and listings do not show them (`strict`).
        case refuse
        /// A sign stands for what cannot be told: `?`, in UTF-8 U+FFFD.
        case replace
        /// What cannot be told is left out.
        case ignore
    }

    /// What of TLS is offered beyond the version.
    ///
    /// There is nothing here that makes it weaker than the server's own choice: suites without
    /// forward secrecy or authenticated encryption, compression and renegotiation are never offered.
    public struct TLSOptions: Sendable, Hashable {
        /// Suites to be offered out of the server's own, as openssl-ciphers(1) writes them; `nil` for
        /// all of them.
        public var ciphers: String?

        /// Whether only what FIPS 140-3 approves is offered.
        public var approvedOnly = false

        /// Whether clients have to name the protocol by ALPN (`ftp`), so that no other protocol's
        /// client can be led here (ALPACA).
        public var requiresALPN = false

        /// How long a client may take for a handshake.
        public var handshakeTimeout: Duration = .seconds(30)

        /// Whether an upload that ends without TLS's own end is believed to be whole.
        ///
        /// Somebody may have cut it short then.
        public var allowsTruncation = false

        /// Creates the defaults.
        public init() {}
    }

    /// A version of TLS; nothing below 1.2 is ever spoken (RFC 8996).
    public enum TLSVersion: Sendable, Hashable {
        /// TLS 1.2 (RFC 5246) and 1.3.
        case tls12
        /// TLS 1.3 alone (RFC 8446).
        case tls13
    }
}
