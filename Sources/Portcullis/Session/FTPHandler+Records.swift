internal import FTPProtocol
internal import Isolation
internal import LinuxSystem
internal import TLS

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
        guard let kind = LoggedAction.Kind(command: command) else {
            audit(command, path, isDone: isDone, nil)
            return
        }
        var action = LoggedAction(kind, path, isDone: isDone)
        if kind.isTransfer { action.isASCII = type == .ascii }
        complete(&action)
        audit(command, path, isDone: isDone, action)
        let isCounted = settings.configuration.admin.metrics != nil && kind.isTransfer
        let isWanted =
            settings.configuration.logs.files.writes || settings.embedding?.events != nil
            || isCounted
        if isWanted { warden.record(action) }
    }

    /// Has a TLS handshake counted (`metrics_address`).
    final func count(
        _ stream: NetworkStream?,
        isData: Bool,
        nanoseconds: UInt64 = 0
    ) {
        guard settings.configuration.admin.metrics != nil else { return }
        let version: HandshakeReport.Version =
            switch stream?.tlsFacts?.version {
            case "TLSv1.3": .tls13
            case "TLSv1.2": .tls12
            default: .none
            }
        warden.count(
            HandshakeReport(
                isData: isData,
                version: version,
                isResumed: version != .none && stream?.isResumed ?? false,
                nanoseconds: nanoseconds
            )
        )
    }

    /// Reports what the client has sent (`log_ftp_protocol`).
    final func record(_ command: Command) {
        guard settings.configuration.logs.showsProtocol else { return }
        warden.recordLine(Array(command.protocolText), isReply: false)
    }

    /// Reports a command without an argument that came during a transfer (`log_ftp_protocol`).
    final func record(_ verb: Verb) {
        guard settings.configuration.logs.showsProtocol else { return }
        warden.recordLine(Array(verb.rawValue.utf8), isReply: false)
    }

    /// Reports what the client is sent (`log_ftp_protocol`).
    final func record(_ reply: Reply) {
        guard settings.configuration.logs.showsProtocol else { return }
        for line in reply.encoded.split(separator: UInt8(ascii: "\n")) {
            warden.recordLine(Array(line.dropLast()), isReply: true)
        }
    }
}
