/// The commands that have a meaning here, whether or not they are carried out.
///
/// RFC 959, RFC 2228, RFC 2389, RFC 2428, RFC 2640, RFC 3659, RFC 4217, RFC 7151, and drafts that
/// are named at each command.
package enum Verb: String, CaseIterable, Hashable, Sendable {
    /// Names the user who logs in (RFC 959).
    case user = "USER"
    /// Proves the user with a password (RFC 959).
    case pass = "PASS"
    /// Ends the session (RFC 959).
    case quit = "QUIT"
    /// Starts the session over (RFC 959).
    case rein = "REIN"
    /// Does nothing (RFC 959).
    case noop = "NOOP"
    /// Names the kind of system (RFC 959).
    case syst = "SYST"
    /// Explains commands (RFC 959).
    case help = "HELP"
    /// Lists extensions (RFC 2389).
    case feat = "FEAT"
    /// Sets options of a command (RFC 2389).
    case opts = "OPTS"
    /// Tells the status, or lists over the control connection (RFC 959).
    case stat = "STAT"
    /// Sets the representation type (RFC 959).
    case type = "TYPE"
    /// Sets the file structure (RFC 959).
    case stru = "STRU"
    /// Sets the transfer mode (RFC 959).
    case mode = "MODE"
    /// Tells the working directory (RFC 959; XPWD of RFC 775).
    case pwd = "PWD"
    /// Changes the working directory (RFC 959; XCWD of RFC 775).
    case cwd = "CWD"
    /// Changes to the parent directory (RFC 959; XCUP of RFC 775).
    case cdup = "CDUP"
    /// Makes the server listen on IPv4 (RFC 959).
    case pasv = "PASV"
    /// Makes the server listen (RFC 2428).
    case epsv = "EPSV"
    /// Names an IPv4 address to connect to (RFC 959).
    case port = "PORT"
    /// Names an address to connect to (RFC 2428).
    case eprt = "EPRT"
    /// Makes the active data connection now and tells its end on the server (by Pure-FTPd).
    case esta = "ESTA"
    /// Tells the client's end of the passive data connection (by Pure-FTPd).
    case estp = "ESTP"
    /// Lists a directory for people (RFC 959).
    case list = "LIST"
    /// Lists the names in a directory (RFC 959).
    case nlst = "NLST"
    /// Tells the facts of one object (RFC 3659).
    case mlst = "MLST"
    /// Lists a directory for programs (RFC 3659).
    case mlsd = "MLSD"
    /// Sends a file to the client (RFC 959).
    case retr = "RETR"
    /// Receives a file (RFC 959).
    case stor = "STOR"
    /// Receives a file under a name of the server's choice (RFC 959).
    case stou = "STOU"
    /// Receives bytes for the end of a file (RFC 959).
    case appe = "APPE"
    /// Sets where the next transfer starts (RFC 3659).
    case rest = "REST"
    /// Sets which part of a file the next transfer is about (draft-bryan-ftp-range).
    case rang = "RANG"
    /// Announces a file's size (RFC 959).
    case allo = "ALLO"
    /// Aborts a transfer (RFC 959).
    case abor = "ABOR"
    /// Deletes a file (RFC 959).
    case dele = "DELE"
    /// Makes a directory (RFC 959; XMKD of RFC 775).
    case mkd = "MKD"
    /// Removes a directory (RFC 959; XRMD of RFC 775).
    case rmd = "RMD"
    /// Names what shall be renamed (RFC 959).
    case rnfr = "RNFR"
    /// Renames it (RFC 959).
    case rnto = "RNTO"
    /// Tells a file's size (RFC 3659).
    case size = "SIZE"
    /// Tells when a file was modified (RFC 3659).
    case mdtm = "MDTM"
    /// Sets when a file was modified (draft-somers-ftp-mfxx).
    case mfmt = "MFMT"
    /// Starts TLS (RFC 2228, RFC 4217).
    case auth = "AUTH"
    /// Sets the protection buffer size (RFC 2228).
    case pbsz = "PBSZ"
    /// Sets the protection of data connections (RFC 2228).
    case prot = "PROT"
    /// Ends the protection of the control connection (RFC 2228).
    case ccc = "CCC"
    /// Holds commands of this server's own (RFC 959).
    case site = "SITE"
    /// Names the host that the client wants (RFC 7151).
    case host = "HOST"
    /// Chooses the language of replies (RFC 2640).
    case lang = "LANG"
    /// Names the client's program, for the log.
    case clnt = "CLNT"
    /// Announces the transfer for which PASV is sent next (by custom).
    case pret = "PRET"
    /// Names the client's program and the server's (draft-peterson).
    case csid = "CSID"
    /// Tells how much may be stored (draft-peterson).
    case avbl = "AVBL"
    /// Tells the hash of a file's content (draft-bryan-ftpext-hash).
    case hash = "HASH"
    /// Tells the CRC-32 of a file's content.
    case xcrc = "XCRC"
    /// Tells the MD5 of a file's content.
    case xmd5 = "XMD5"
    /// Tells the SHA-1 of a file's content.
    case xsha = "XSHA"
    /// Tells the SHA-1 of a file's content.
    case xsha1 = "XSHA1"
    /// Tells the SHA-256 of a file's content.
    case xsha256 = "XSHA256"
    /// Tells the SHA-512 of a file's content.
    case xsha512 = "XSHA512"
    /// Tells the MD5 of a file's content (draft-twine-ftpmd5).
    case md5 = "MD5"
    /// Names what shall be copied.
    case cpfr = "CPFR"
    /// Copies it.
    case cpto = "CPTO"
    /// Sets several facts of a file (draft-somers-ftp-mfxx).
    case mff = "MFF"
    /// Sets when a file was made, which Linux does not let anybody set (draft-somers-ftp-mfxx).
    case mfct = "MFCT"
    /// Names an account (RFC 959).
    case acct = "ACCT"
    /// Mounts a file system (RFC 959).
    case smnt = "SMNT"
    /// Carries security data (RFC 2228).
    case adat = "ADAT"
    /// Carries an integrity-protected command (RFC 2228).
    case mic = "MIC"
    /// Carries a confidential command (RFC 2228).
    case conf = "CONF"
    /// Carries a privacy-protected command (RFC 2228).
    case enc = "ENC"

    /// Finds the meaning of a verb, whatever its case.
    ///
    /// The X-forms of RFC 775 mean what their later names mean (RFC 1123 section 4.1.3.1).
    package init?(name: [UInt8]) {
        let name = name.keyword
        switch name {
        case "XPWD": self = .pwd
        case "XCWD": self = .cwd
        case "XCUP": self = .cdup
        case "XMKD": self = .mkd
        case "XRMD": self = .rmd
        // Sent by old browsers that stand behind boxes which rewrite PASV; vsftpd takes it, too.
        case "P@SW": self = .pasv
        default: self.init(rawValue: name)
        }
    }
}
