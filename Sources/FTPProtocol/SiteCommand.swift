/// The commands behind SITE (RFC 959 section 4.1.3).
package enum SiteCommand: String, CaseIterable, Hashable, Sendable {
    /// Explains these commands.
    case help = "HELP"

    /// Changes the permission bits of a file.
    case chmod = "CHMOD"

    /// Changes the group of a file.
    case chgrp = "CHGRP"

    /// Changes the time of a file.
    case utime = "UTIME"

    /// Makes a symbolic link.
    case symlink = "SYMLINK"

    /// Makes a directory, and those above it.
    case mkdir = "MKDIR"

    /// Removes a directory.
    case rmdir = "RMDIR"

    /// Names what shall be copied.
    case cpfr = "CPFR"

    /// Copies it.
    case cpto = "CPTO"

    /// Shows or sets the permission bits that new files do not get.
    case umask = "UMASK"

    /// Shows or sets how long the session may be idle.
    case idle = "IDLE"

    /// Names the directories that CWD knows everywhere.
    case alias = "ALIAS"

    /// Names the sessions of the user.
    case who = "WHO"

    /// Shows what the user has stored, and may store.
    case quota = "QUOTA"

    /// Tells the time of the server.
    case time = "TIME"

    /// Finds a command by its name, whatever its case.
    package init?(name: [UInt8]) {
        self.init(rawValue: name.keyword)
    }

    /// Whether the command takes an argument; otherwise the reply is 501.
    package var argument: ArgumentRule { row.argument }

    /// What a login has to be allowed for the command to be of any use, for SITE HELP.
    package var permissions: Permissions { row.permissions }

    /// How the command is written.
    package var syntax: String { "SITE \(rawValue)\(row.syntax)" }

    /// What the command does.
    package var summary: String { row.summary }

    private typealias Row = (
        argument: ArgumentRule, syntax: String, summary: String, permissions: Permissions
    )

    private var row: Row {
        switch self {
        case .help: (.optional, " [command]", "Explain the commands of this server.", [])
        case .chmod: (.required, " mode path", "Change the permission bits of a file.", .changeMode)
        case .chgrp: (.required, " group path", "Change the group of a file.", .changeMode)
        case .utime: (.required, " time path", "Change the time of a file.", .changeTime)
        case .symlink: (.required, " target path", "Make a symbolic link.", .store)
        case .mkdir: (.required, " [-p] path", "Make a directory.", .makeDirectory)
        case .rmdir: (.required, " path", "Remove a directory.", .delete)
        case .cpfr: (.required, " path", "Name what to copy.", [.retrieve, .store])
        case .cpto: (.required, " path", "Copy it.", [.retrieve, .store])
        case .umask: (.optional, " [mask]", "Show or set the umask of new files.", .changeMode)
        case .idle: (.optional, " [seconds]", "Show or set the idle timeout.", [])
        case .alias: (.none, "", "Name the directories that CWD knows everywhere.", [])
        case .who: (.none, "", "Name your own sessions.", [])
        case .time: (.none, "", "Tell the time of the server.", [])
        case .quota: (.none, "", "Show what is stored, and how much may be.", [])
        }
    }
}
