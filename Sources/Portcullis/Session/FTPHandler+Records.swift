internal import FTPProtocol
internal import Isolation
internal import LinuxSystem

// What the logs of transfers are told; the Warden writes them.

extension FTPHandler {
    /// Reports what a command did, if it is one that these logs know.
    ///
    /// - Parameters:
    ///   - command: The command, with `SITE` in front where that belongs to it.
    ///   - path: What it was about.
    ///   - isDone: Whether it succeeded.
    ///   - complete: Adds what else there is to say.
    final func record(
        _ command: String,
        _ path: VirtualPath,
        isDone: Bool,
        _ complete: (inout LoggedAction) -> Void = { _ in }
    ) {
        guard settings.configuration.logs.files.writes,
            let kind = LoggedAction.Kind(command: command)
        else { return }
        var action = LoggedAction(kind, path, isDone: isDone)
        if kind.isTransfer { action.isASCII = type == .ascii }
        complete(&action)
        warden.record(action)
    }

    /// Reports what the client has sent (`log_ftp_protocol`).
    final func record(_ command: Command) {
        guard settings.configuration.logs.showsProtocol else { return }
        warden.recordLine(command.protocolText, isReply: false)
    }

    /// Reports a command without an argument that came during a transfer (`log_ftp_protocol`).
    final func record(_ verb: Verb) {
        guard settings.configuration.logs.showsProtocol else { return }
        warden.recordLine(verb.rawValue.utf8, isReply: false)
    }

    /// Reports what the client is sent (`log_ftp_protocol`).
    final func record(_ reply: Reply) {
        guard settings.configuration.logs.showsProtocol else { return }
        for line in reply.encoded.split(separator: UInt8(ascii: "\n")) {
            warden.recordLine(line.dropLast(), isReply: true)
        }
    }
}
