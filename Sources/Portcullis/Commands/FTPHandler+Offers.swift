internal import FTPProtocol

// Which commands are served under the present configuration.

extension FTPHandler {
    /// Whether the configuration lets a command do anything for anybody; otherwise the reply is 502.
    final func offers(_ verb: Verb) -> Bool { true }

    /// Whether the configuration forbids a command (`cmds_denied`, `cmds_allowed`); then the reply
    /// is 550.
    final func isDenied(_ verb: Verb) -> Bool {
        let session = configuration.session
        return session.deniedCommands.contains(verb.rawValue)
            || session.allowedCommands.map { !$0.contains(verb.rawValue) } ?? false
    }

    /// Whether FEAT and HELP name a command.
    final func serves(_ verb: Verb) -> Bool {
        guard CommandTable.rule(for: verb).isImplemented, offers(verb), !isDenied(verb) else {
            return false
        }
        switch verb {
        case .pasv, .epsv: return configuration.passive.isEnabled
        case .port, .eprt: return configuration.active.isEnabled
        case .auth, .pbsz, .prot: return offersTLS
        case .mfmt: return configuration.files.allowsTimeChange
        default: return true
        }
    }
}
