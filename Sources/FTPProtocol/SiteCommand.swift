/// The commands behind SITE (RFC 959 section 4.1.3).
package enum SiteCommand: String, CaseIterable, Hashable, Sendable {
    /// Explains these commands.
    case help = "HELP"

    /// Changes the permission bits of a file.
    case chmod = "CHMOD"

    /// Names the sessions of the user.
    case who = "WHO"

    /// Finds a command by its name, whatever its case.
    package init?(name: [UInt8]) {
        self.init(rawValue: name.keyword)
    }

    /// How the command is written.
    package var syntax: String {
        switch self {
        case .help: "SITE HELP"
        case .chmod: "SITE CHMOD mode path"
        case .who: "SITE WHO"
        }
    }

    /// What the command does.
    package var summary: String {
        switch self {
        case .help: "Explain the commands of this server."
        case .chmod: "Change the permission bits of a file."
        case .who: "Name your own sessions."
        }
    }
}
