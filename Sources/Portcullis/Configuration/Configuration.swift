package import FTPProtocol
package import FileSystem
package import Isolation
package import TLS

/// Everything an administrator may decide about the daemon, with the defaults.
///
/// A value that nobody can change behind the back of a process: it is read once, before the first
/// fork. The names in back quotes are those of the configuration file.
package struct Configuration: Sendable {
    /// Where the daemon listens, and for how many clients.
    package var listening = Listening()
    /// Who may log in, and how they prove it.
    package var login = Login()
    /// Logins of nobody in particular.
    package var anonymous = Anonymous()
    /// TLS on the control and data connections.
    package var tls = TLS()
    /// Data connections that the client opens (PASV and EPSV).
    package var passive = Passive()
    /// Data connections that the server opens (PORT and EPRT).
    package var active = Active()
    /// How long each step may take.
    package var timeouts = Timeouts()
    /// What a user may do to files, and how they are shown.
    package var files = Files()
    /// How uploads are written.
    package var uploads = Uploads()
    /// How fast transfers may be, and have to be.
    package var rates = Rates()
    /// The conversation on the control connection.
    package var session = Session()
    /// The logs that vsftpd would write.
    package var logs = Logs()
    /// How administrators look at a server that runs.
    package var admin = Admin()

    /// Creates the configuration of an empty file.
    package init() {}

    /// Where the daemon listens, and for how many clients.
    package struct Listening: Sendable {
        /// Whether an IPv4 socket is opened (`listen`).
        package var ipv4 = true
        /// Whether an IPv6 socket is opened (`listen_ipv6`).
        ///
        /// Without an IPv4 socket beside it, vsftpd's takes IPv4 clients too.
        package var ipv6 = false
        /// The port of the control connection; 0 takes any free one (`listen_port`).
        package var port: UInt16 = 21
        /// A port beside it on which TLS comes first; 0 takes any free one (`implicit_listen_port`).
        package var implicitPort: UInt16?
        /// A port beside it on which TLS is not required; 0 takes any free one (`plain_listen_port`).
        package var plainPort: UInt16?
        /// Load balancers, whose connections begin with a PROXY header (`proxy_protocol`,
        /// `proxy_networks`).
        package var proxyNetworks: [IPNetwork] = []
        /// Whether they do (`proxy_protocol`).
        package var takesProxyHeaders = false
        /// The IPv4 address to listen on; nil is every one (`listen_address`).
        package var address: IPAddress?
        /// The IPv6 address to listen on; nil is every one (`listen_address6`).
        package var address6: ZonedAddress?
        /// How many clients may be connected at once; 0 is no limit (`max_clients`).
        package var maximumClients = 2000
        /// How many clients one address may connect at once; 0 is no limit (`max_per_ip`).
        package var maximumClientsPerAddress = 50
        /// How many sessions one user may have at once; 0 is no limit (`max_per_user`).
        package var maximumSessionsPerUser = 0
        /// How many clients may be connected that have not logged in; 0 is no limit
        /// (`max_before_login`).
        package var maximumClientsBeforeLogin = 1000
        /// Connections a minute from one address; 0 is no limit (`max_connection_rate`).
        package var maximumConnectionRate = 0
        /// The load average, in hundredths, above which clients are turned away; 0 is no limit
        /// (`max_load`).
        package var maximumLoad = 0
        /// When an address is turned away (`ban_failures`, `ban_period`, `ban_time`).
        package var bans = BanSettings()
        /// When a user is locked out (`user_lock_failures`, `user_lock_period`, `user_lock_time`).
        package var userLocks = BanSettings.users
    }

    /// Who may log in, and how they prove it.
    package struct Login: Sendable {
        /// Whether PAM is asked, for accounts of the system and guests (`local_enable`).
        package var localUsers = true
        /// Who is asked about a user, in this order; the first who knows the user decides
        /// (`auth_order`).
        package var order: [AuthorizerKind] = [.virtual, .pam]
        /// The users that exist in a file of ours alone (`virtual_users_file`).
        package var virtualUsersFile: String?
        /// Whether whoever PAM lets in becomes a guest (`guest_enable`).
        package var makesGuests = false
        /// The account whose ids guests and virtual users work under (`guest_username`).
        package var guestUser = "ftp"
        /// Whether guests may do what local users may (`virtual_use_local_privs`).
        package var guestsAreLocal = false
        /// How long PAM may take for a login (`pam_timeout`).
        package var checkTimeout: Duration = .seconds(60)
        /// Whether the shell of a local user must stand in /etc/shells (`check_shell`).
        package var checksShell = false
        /// The PAM service that decides (`pam_service_name`).
        package var pamServiceName = "portcullis"
        /// The directory that holds the PAM service file; nil is the system's (`pam_conf_dir`).
        package var pamConfigurationDirectory: String?
        /// The account of the processes that read the network (`nopriv_user`).
        package var unprivilegedUser = "nobody"
        /// After how many failures the connection ends (`max_login_fails`).
        package var maximumFailures = 3
        /// The lowest user id of system accounts that may log in (`min_uid`).
        package var minimumUser = 1
        /// The pause before a failed login is answered (`delay_failed_login`).
        package var failureDelay: Duration = .seconds(1)
        /// How long it may get when failures repeat (`delay_failed_login_max`).
        package var maximumFailureDelay: Duration = .seconds(16)
        /// The pause before a successful login is answered (`delay_successful_login`).
        package var successDelay: Duration = .zero
        /// The list of users; nil unless `userlist_enable=YES` (`userlist_file`).
        package var userListFile: String?
        /// Whether the list names who may not log in, or who alone may (`userlist_deny`).
        package var userListDenies = true
        /// Who is kept inside a directory (`chroot_local_user`, `chroot_list_enable`).
        package var jail = JailPolicy.everybody
        /// Whether `/./` in a home divides the jail from the first directory
        /// (`passwd_chroot_enable`).
        package var dividesHome = false
        /// The directory with a file of options for each user (`user_config_dir`).
        package var userConfigurationDirectory: String?
        /// The root of every user; nil is the home directory (`local_root`).
        package var localRoot: String?
        /// The text in the root that stands for the user's name (`user_sub_token`).
        package var userSubToken: String?
    }

    /// TLS on the control and data connections.
    package struct TLS: Sendable {
        /// Whether AUTH TLS is offered (`ssl_enable`).
        package var isEnabled = true
        /// The certificate chain, in PEM (`rsa_cert_file`).
        package var certificateFile: String?
        /// The private key, in PEM; nil looks in the certificate's file (`rsa_private_key_file`).
        package var privateKeyFile: String?
        /// A second certificate chain, with a key of another kind (`ec_cert_file`).
        package var ecCertificateFile: String?
        /// Its key; nil looks in the certificate's file (`ec_private_key_file`).
        package var ecPrivateKeyFile: String?
        /// An OCSP response about the certificate, in DER (`ssl_ocsp_file`).
        package var responseFile: String?
        /// An OCSP response about the second certificate, in DER (`ec_ocsp_file`).
        package var ecResponseFile: String?
        /// A file with the passphrase of the keys (`ssl_key_passphrase_file`).
        package var passphraseFile: String?
        /// A directory with certificates for single hosts (`ssl_sni_dir`).
        package var hostDirectory: String?
        /// The only hosts that a handshake may name, in lower case; empty is any
        /// (`ssl_sni_hostname`).
        package var expectedNames: Set<String> = []
        /// Whether a handshake must name a host that is known (`ssl_sni_required`).
        package var requiresName = false
        /// The suites and groups that are offered (`ssl_policy`).
        package var policy = TLSPolicy.Level.intermediate
        /// The suites chosen among them; nil is all (`ssl_ciphers`).
        package var suites: SuiteChoice?
        /// Whether USER and PASS are refused in clear (`force_local_logins_ssl`).
        package var requiredForLogin = true
        /// Where clients have to be that do without TLS; empty is anywhere (`plain_ftp_networks`).
        package var plainNetworks: [IPNetwork] = []
        /// Whether passwords of system accounts are taken that came without TLS
        /// (`plain_system_logins`).
        package var takesPlainSystemLogins = false
        /// Whether data connections are refused in clear (`force_local_data_ssl`).
        package var requiredForData = true
        /// Whether TLS 1.2 is offered (`ssl_tlsv12`).
        package var allows12 = true
        /// Whether TLS 1.3 is offered (`ssl_tlsv13`).
        package var allows13 = true
        /// Whether the client is asked for a certificate (`ssl_request_cert`).
        package var requestsClientCertificate = false
        /// Whether a client without a certificate is refused (`require_cert`).
        package var requiresClientCertificate = false
        /// Whether an authority must vouch for each certificate (`validate_cert`).
        package var validatesClientCertificate = false
        /// The authorities that vouch for clients, in PEM (`ca_certs_file`).
        package var authoritiesFile: String?
        /// What they have revoked, in PEM (`ca_crl_file`).
        package var revocationsFile: String?
        /// What a client's certificate is good for at the login (`cert_auth`).
        package var certificateLogin = CertificateLogin.off
        /// Which of its names is the user's; nil is none (`cert_user_field`).
        package var certificateField: CertificateField?
        /// Whose certificate is whose (`cert_users_file`).
        package var certificateUsersFile: String?
        /// Whether a data connection must prove its control session with TLS itself.
        ///
        /// That proof is a resumed session or the same client certificate; without the requirement
        /// the client's address is accepted too (`require_ssl_reuse`).
        package var requiresReuse = false
        /// Whether `require_ssl_reuse` was written, and is not what `pasv_promiscuous` implies.
        package var requiresReuseIsWritten = false
        /// What was written for a single user, which counts for more than the network.
        package var requiresReuseOfUser: Bool?
        /// Networks from which the address is proof enough (`ssl_reuse_exempt_networks`).
        package var reuseExemptNetworks: [IPNetwork] = []
        /// Whether an upload that ends without `close_notify` has failed (`strict_ssl_read_eof`).
        package var strictReadEOF = true
        /// Whether a download waits for the client's `close_notify` (`strict_ssl_write_shutdown`).
        package var strictWriteShutdown = false
        /// Whether a client must offer the ALPN name `ftp` (`ssl_alpn_required`).
        package var requiresALPN = false
        /// Whether the kernel encrypts what data connections send, where it can (`ktls_enable`).
        package var encryptsInKernel = false
        /// Whether the details of each handshake are logged (`debug_ssl`).
        package var logsDetails = false
        /// How long a handshake may take (`ssl_handshake_timeout`).
        package var handshakeTimeout: Duration = .seconds(10)
        /// Whether the handshake comes first on the control port (`implicit_ssl`).
        package var isImplicit = false
    }

    /// Data connections that the client opens (PASV and EPSV).
    package struct Passive: Sendable {
        /// Whether PASV and EPSV are served (`pasv_enable`).
        package var isEnabled = true
        /// The lowest port of a data connection (`pasv_min_port`).
        package var minimumPort: UInt16 = 5001
        /// The highest port of a data connection (`pasv_max_port`).
        package var maximumPort: UInt16 = 65535
        /// The address in the reply to PASV; nil is the control connection's (`pasv_address`).
        package var address: String?
        /// Whether that address is a name to look up (`pasv_addr_resolve`).
        package var resolvesAddress = false
        /// How long the answer is believed (`pasv_addr_resolve_interval`).
        package var resolveInterval: Duration = .seconds(60)
        /// What is announced instead to clients that came to one of these addresses of ours
        /// (`masquerade_address_map`).
        package var masquerades: [Masquerade] = []
        /// Whose clients are told the control connection's address all the same
        /// (`pasv_local_networks`).
        package var localNetworks: [IPNetwork] = []
        /// How many ports may be open for one address at a time; 0 is no limit (`pasv_max_per_ip`).
        package var maximumPerAddress = 0
        /// Whether any address may open the data connection (`pasv_promiscuous`,
        /// `permit_foreign_addresses`).
        package var isPromiscuous = false
        /// Networks whose addresses may open each other's (`pasv_promiscuous_networks`).
        package var promiscuousNetworks: [IPNetwork] = []
    }

    /// Data connections that the server opens (PORT and EPRT).
    package struct Active: Sendable {
        /// Whether PORT and EPRT are served (`port_enable`).
        package var isEnabled = true
        /// Whether they may name an address other than the client's (`port_promiscuous`,
        /// `permit_foreign_addresses`).
        package var isPromiscuous = false
        /// Whether they may name a port below 1024 (`port_promiscuous`,
        /// `permit_privileged_ports`).
        package var allowsPrivilegedPorts = false
        /// Whether the connection comes from the data port (`connect_from_port_20`).
        package var usesDataPort = false
        /// The port that it then comes from (`ftp_data_port`).
        package var dataPort: UInt16 = 20
    }

    /// How long each step may take.
    package struct Timeouts: Sendable {
        /// For the client to open a passive data connection (`accept_timeout`).
        package var accept: Duration = .seconds(60)
        /// For the client to answer an active data connection (`connect_timeout`).
        package var connect: Duration = .seconds(60)
        /// Between two commands (`idle_session_timeout`).
        package var idle: Duration = .seconds(300)
        /// For a transfer to make progress (`data_connection_timeout`).
        package var data: Duration = .seconds(300)
        /// From the connection to the login, whatever the client sends meanwhile (`login_timeout`).
        package var login: Duration = .seconds(60)

        /// For running transfers to finish after SIGTERM (`shutdown_timeout`).
        package var shutdown: Duration = .seconds(30)
    }

    /// What a user may do to files, and how they are shown.
    package struct Files: Sendable {
        /// Whether anything may be changed (`write_enable`).
        package var allowsWriting = false
        /// Whether files may be fetched (`download_enable`).
        package var allowsDownload = true
        /// Whether directories may be listed (`dirlist_enable`).
        package var allowsListing = true
        /// Whether files that exist may be replaced or added to (`overwrite_enable`).
        package var allowsOverwriting = true
        /// Whether SITE CHMOD is served (`chmod_enable`).
        package var allowsChangeMode = true
        /// Whether a file's time may be set (`mdtm_write`).
        package var allowsTimeChange = true
        /// The permission bits taken from new files and directories (`local_umask`).
        package var umask: UInt16 = 0o077
        /// The permission bits of an upload before the umask (`file_open_mode`).
        package var openMode: UInt16 = 0o666
        /// What holds for some names and in some directories only (`deny_file`, `override_perm`).
        package var places = PlaceRules()
        /// Whether a directory's message is shown on entering it (`dirmessage_enable`).
        package var showsMessages = false
        /// The file that holds it (`message_file`).
        package var messageFile = ".message"
        /// Whether `~` stands for the directory that a session begins in (`tilde_user_enable`).
        package var expandsTilde = false
        /// Whether names with a leading dot are listed unasked (`force_dot_files`).
        package var showsDotFiles = false
        /// Whether LIST and NLST with `-R` descend into directories (`ls_recurse_enable`).
        package var listsRecursively = false
        /// Whether listings show `ftp` in place of each owner and group (`hide_ids`).
        package var hidesOwners = false
        /// Whether listings show owners' names in place of numbers (`text_userdb_names`).
        package var namesOwners = false
        /// Whether times are shown in the server's time zone (`use_localtime`).
        package var usesLocalTime = false
        /// Whether TYPE A converts the line ends of uploads (`ascii_upload_enable`).
        package var convertsUploads = true
        /// Whether TYPE A converts the line ends of downloads (`ascii_download_enable`).
        package var convertsDownloads = true
        /// Whether HASH and its kin are served (`hash_enable`).
        package var allowsHashing = true
        /// The largest file that is hashed, in bytes; 0 is no limit (`hash_max_size`).
        package var maximumHashByteCount = 0
        /// Whether transfers may be compressed (`mode_z_enable`).
        package var allowsCompression = false
        /// Whether files may be copied within the server (`copy_enable`).
        package var allowsCopying = true
        /// Whether an upload that failed is removed (`delete_failed_uploads`).
        package var deletesFailedUploads = false
        /// Whether the kernel sends files by itself over connections in clear (`use_sendfile`).
        package var usesSendfile = true
    }

    /// The conversation on the control connection.
    package struct Session: Sendable {
        /// The text of the greeting, lines separated by LF (`ftpd_banner`, `banner_file`).
        package var banner: String?
        /// The hosts that HOST may name, in lower case; empty is any (`host_names`).
        package var hostNames: Set<String> = []
        /// Names of directories that CWD knows everywhere (`dir_aliases`).
        package var aliases: [DirectoryAlias] = []
        /// What the client is told after the login, lines separated by LF (`login_message`).
        package var loginMessage: String?
        /// What the client is told in reply to QUIT (`quit_message`).
        package var quitMessage: String?
        /// The only commands served, in upper case; nil is all of them (`cmds_allowed`).
        package var allowedCommands: Set<String>?
        /// Commands that are not served, in upper case (`cmds_denied`).
        package var deniedCommands: Set<String> = []
        /// Whether each process gives up the system calls it does not need (`seccomp_sandbox`).
        package var usesSeccomp = true
        /// Whether the kernel's log tells of such calls in place of refusing them
        /// (`seccomp_report`).
        package var reportsSystemCalls = false
        /// Whether the processes that run PAM keep little of root's rights (`pam_sandbox`).
        package var confinesPAM = true

        /// What comes of system calls that a process has no use for.
        package var systemCalls: SystemCallPolicy {
            guard usesSeccomp else { return .unfiltered }
            return reportsSystemCalls ? .reported : .enforced
        }
    }
}
