internal import FTPProtocol

// Which commands are served under the present configuration.

extension FTPHandler {
    /// Whether the configuration lets a command do anything for anybody; otherwise the reply is 502.
    final func offers(_ verb: Verb) -> Bool {
        switch verb {
        case .hash, .xcrc, .xmd5, .xsha, .xsha1, .xsha256, .xsha512, .md5:
            configuration.files.allowsHashing
        case .cpfr, .cpto: configuration.files.allowsCopying
        default: true
        }
    }

    /// Whether the configuration lets a command behind SITE do anything; otherwise the reply is 502.
    final func offers(_ command: SiteCommand) -> Bool {
        switch command {
        case .cpfr, .cpto: configuration.files.allowsCopying
        default: true
        }
    }

    /// Whether the configuration forbids a command (`cmds_denied`, `cmds_allowed`); then the reply
    /// is 550.
    final func isDenied(_ verb: Verb) -> Bool {
        let session = configuration.session
        return session.deniedCommands.contains(verb.rawValue)
            || session.allowedCommands.map { !$0.contains(verb.rawValue) } ?? false
    }

    /// Whether the configuration forbids a command behind SITE: one that does what a forbidden
    /// command does is forbidden as well.
    final func isDenied(_ command: SiteCommand) -> Bool {
        switch command {
        case .mkdir: isDenied(Verb.mkd)
        case .rmdir: isDenied(Verb.rmd)
        case .cpfr: isDenied(Verb.cpfr)
        case .cpto: isDenied(Verb.cpto)
        case .utime: isDenied(Verb.mfmt)
        default: false
        }
    }

    /// Whether FEAT and HELP name a command.
    final func serves(_ verb: Verb) -> Bool {
        guard CommandTable.rule(for: verb).isImplemented, offers(verb), !isDenied(verb),
            configuration.files.permissions.isSuperset(of: CommandTable.permissions(for: verb))
        else { return false }
        switch verb {
        case .pasv, .epsv, .estp: return configuration.passive.isEnabled
        case .port, .eprt, .esta: return configuration.active.isEnabled
        case .auth, .pbsz, .prot: return offersTLS
        case .mff:
            return configuration.files.permissions.isSuperset(of: [.changeMode, .changeTime])
        default: return true
        }
    }

    /// Whether SITE HELP names a command.
    final func serves(_ command: SiteCommand) -> Bool {
        offers(command) && !isDenied(command)
            && configuration.files.permissions.isSuperset(of: command.permissions)
    }
}
