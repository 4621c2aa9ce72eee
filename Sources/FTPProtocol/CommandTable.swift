/// Whether a command takes an argument.
package enum ArgumentRule: Hashable, Sendable {
    /// It must not have one.
    case none

    /// It must have one.
    case required

    /// It may have one.
    case optional
}

/// What holds for one command before its own code runs.
package struct CommandRule: Hashable, Sendable {
    /// The command.
    package let verb: Verb

    /// Whether it takes an argument; otherwise the reply is 501.
    package let argument: ArgumentRule

    /// Whether it is refused before login, with 530.
    package let needsLogin: Bool

    /// Whether it does anything; otherwise the reply is 502.
    package let isImplemented: Bool

    /// Whether it is carried out while a transfer runs, instead of after it.
    package let duringTransfer: Bool

    /// How it is written, for HELP.
    package let syntax: String

    /// What it does, for HELP.
    package let summary: String
}

/// One row for each command: what may be asked, when, and in which form.
///
/// The code that carries a command out relies on these rows having been checked, and contains no
/// check of its own that could be forgotten.
package enum CommandTable {
    /// Every row, in the order of ``Verb``.
    package static let all: [CommandRule] = Verb.allCases.map(rule(for:))

    /// The row of one command.
    ///
    /// Written as a `switch` without `default`, so that a new verb cannot be left out.
    package static func rule(for verb: Verb) -> CommandRule {
        switch verb {
        case .user: open(verb, .required, "USER name", "Name the user who logs in.")
        case .pass: open(verb, .optional, "PASS password", "Prove the user.")
        case .quit: open(verb, .none, "QUIT", "End the session.", duringTransfer: true)
        case .rein: open(verb, .none, "REIN", "Start the session over.")
        case .noop: open(verb, .none, "NOOP", "Do nothing.", duringTransfer: true)
        case .syst: open(verb, .none, "SYST", "Tell the kind of system.")
        case .help: open(verb, .optional, "HELP [command]", "Explain commands.")
        case .feat: open(verb, .none, "FEAT", "List the extensions.")
        case .opts: open(verb, .required, "OPTS command [options]", "Set options of a command.")
        case .stat: open(verb, .optional, "STAT [path]", "Tell the status.", duringTransfer: true)
        case .auth: open(verb, .required, "AUTH TLS", "Protect the control connection.")
        case .pbsz: open(verb, .required, "PBSZ 0", "Set the protection buffer size.")
        case .prot: open(verb, .required, "PROT P|C", "Protect the data connections.")
        case .ccc: open(verb, .none, "CCC", "Clear the control connection.")
        case .host: open(verb, .required, "HOST name", "Name the host that is wanted.")
        case .lang: open(verb, .optional, "LANG [tag]", "Choose the language of replies.")
        case .clnt: open(verb, .required, "CLNT name", "Name the client's program.")
        case .csid: open(verb, .required, "CSID facts", "Name the programs at both ends.")
        case .pret: login(verb, .required, "PRET command", "Announce the next transfer.")
        case .type: login(verb, .required, "TYPE A|I|L 8", "Set the representation type.")
        case .stru: login(verb, .required, "STRU F", "Set the file structure.")
        case .mode: login(verb, .required, "MODE S|Z", "Set the transfer mode.")
        case .pwd: login(verb, .none, "PWD", "Tell the working directory.")
        case .cwd: login(verb, .optional, "CWD [path]", "Change the working directory.")
        case .cdup: login(verb, .none, "CDUP", "Change to the parent directory.")
        case .pasv: login(verb, .none, "PASV", "Listen for a data connection.")
        case .epsv: login(verb, .optional, "EPSV [1|2|ALL]", "Listen for a data connection.")
        case .port: login(verb, .required, "PORT h,h,h,h,p,p", "Name where to connect to.")
        case .eprt: login(verb, .required, "EPRT |n|address|port|", "Name where to connect to.")
        case .esta: login(verb, .none, "ESTA", "Connect, and tell the server's end.")
        case .estp: login(verb, .none, "ESTP", "Tell the client's end of the connection.")
        case .list: login(verb, .optional, "LIST [path]", "List a directory.")
        case .nlst: login(verb, .optional, "NLST [path]", "List the names in a directory.")
        case .mlst: login(verb, .optional, "MLST [path]", "Tell the facts of one object.")
        case .mlsd: login(verb, .optional, "MLSD [path]", "List a directory with facts.")
        case .retr: login(verb, .required, "RETR path", "Download a file.")
        case .stor: login(verb, .required, "STOR path", "Upload a file.")
        case .stou: login(verb, .optional, "STOU [path]", "Upload a file under a unique name.")
        case .appe: login(verb, .required, "APPE path", "Add to a file.")
        case .rest: login(verb, .required, "REST offset", "Set where the next transfer starts.")
        case .rang: login(verb, .required, "RANG start end", "Set the part to transfer next.")
        case .allo: login(verb, .required, "ALLO size [R size]", "Announce a file's size.")
        case .abor: login(verb, .none, "ABOR", "Abort a transfer.", duringTransfer: true)
        case .dele: login(verb, .required, "DELE path", "Delete a file.")
        case .mkd: login(verb, .required, "MKD path", "Make a directory.")
        case .rmd: login(verb, .required, "RMD path", "Remove a directory.")
        case .rnfr: login(verb, .required, "RNFR path", "Name what to rename.")
        case .rnto: login(verb, .required, "RNTO path", "Rename it.")
        case .size: login(verb, .required, "SIZE path", "Tell a file's size.")
        case .mdtm: login(verb, .required, "MDTM path", "Tell when a file was modified.")
        case .mfmt: login(verb, .required, "MFMT time path", "Set when a file was modified.")
        case .site: login(verb, .required, "SITE command", "Use commands of this server.")
        case .avbl: login(verb, .optional, "AVBL [path]", "Tell how much may be stored.")
        case .hash: login(verb, .required, "HASH path", "Tell the hash of a file's content.")
        case .xcrc: digest(verb, "CRC-32")
        case .xmd5: digest(verb, "MD5")
        case .xsha, .xsha1: digest(verb, "SHA-1")
        case .xsha256: digest(verb, "SHA-256")
        case .xsha512: digest(verb, "SHA-512")
        case .md5: login(verb, .required, "MD5 path", "Tell the MD5 of a file's content.")
        case .cpfr: login(verb, .required, "CPFR path", "Name what to copy.")
        case .cpto: login(verb, .required, "CPTO path", "Copy it.")
        case .mff: login(verb, .required, "MFF fact=value;... path", "Set facts of a file.")
        case .mfct: absent(verb, "MFCT time path", "Set when a file was made.")
        case .acct: open(verb, .required, "ACCT code", "Answer when 332 asks for an account.")
        case .smnt: absent(verb, "SMNT path", "Mount a file system.")
        case .adat: absent(verb, "ADAT data", "Send security data.")
        case .mic: absent(verb, "MIC command", "Send a command with a checksum.")
        case .conf: absent(verb, "CONF command", "Send an encrypted command.")
        case .enc: absent(verb, "ENC command", "Send an encrypted command with a checksum.")
        }
    }

    /// Whether a command only prepares a session: it names no user and touches no file.
    package static func isPrelude(_ verb: Verb) -> Bool {
        switch verb {
        case .user, .pass, .acct: false
        default: !rule(for: verb).needsLogin
        }
    }

    /// A command that hashes a file, or a part of it.
    private static func digest(_ verb: Verb, _ algorithm: String) -> CommandRule {
        login(
            verb,
            .required,
            "\(verb.rawValue) path [start [end]]",
            "Tell the \(algorithm) of a file's content."
        )
    }

    /// A command that is answered before login too.
    private static func open(
        _ verb: Verb,
        _ argument: ArgumentRule,
        _ syntax: String,
        _ summary: String,
        duringTransfer: Bool = false
    ) -> CommandRule {
        CommandRule(
            verb: verb,
            argument: argument,
            needsLogin: false,
            isImplemented: true,
            duringTransfer: duringTransfer,
            syntax: syntax,
            summary: summary
        )
    }

    /// A command for users who have logged in.
    private static func login(
        _ verb: Verb,
        _ argument: ArgumentRule,
        _ syntax: String,
        _ summary: String,
        duringTransfer: Bool = false
    ) -> CommandRule {
        CommandRule(
            verb: verb,
            argument: argument,
            needsLogin: true,
            isImplemented: true,
            duringTransfer: duringTransfer,
            syntax: syntax,
            summary: summary
        )
    }

    /// A command that the standards know and this server does not carry out.
    private static func absent(_ verb: Verb, _ syntax: String, _ summary: String) -> CommandRule {
        CommandRule(
            verb: verb,
            argument: .required,
            needsLogin: true,
            isImplemented: false,
            duringTransfer: false,
            syntax: syntax,
            summary: summary
        )
    }
}
