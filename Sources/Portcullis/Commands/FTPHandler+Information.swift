internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import LinuxSystem
internal import TLS

// FEAT, HELP and STAT.

extension FTPHandler {
    /// Entries that STAT sends over the control connection; LIST has no such limit.
    private static let maximumStatusEntryCount = 1_000

    final func features() throws(SessionEnd) {
        var features = Features(
            tlsAvailable: offersTLS,
            machineFacts: machineFacts,
            serves: serves
        )
        features.hashAlgorithm = hashAlgorithm
        features.compresses = configuration.files.allowsCompression
        let lines = features.lines + customCommands.compactMap(\.feature)
        try reply(Reply(211, lines: ["Features:"] + lines + ["End"]))
    }

    final func help(_ argument: [UInt8]) throws(SessionEnd) {
        guard argument.isEmpty else {
            if let custom = customCommand(argument.keyword) {
                try reply(214, custom.helpText)
                return
            }
            guard let verb = Verb(name: argument), serves(verb) else {
                try reply(501, "No such command.")
                return
            }
            let rule = CommandTable.rule(for: verb)
            try reply(214, "\(rule.syntax): \(rule.summary)")
            return
        }
        let customNames = customCommands.map(\.name).filter { !$0.contains(" ") }
        let names = Verb.allCases.filter(serves).map(\.rawValue) + customNames
        var lines = ["The following commands are recognized."]
        for start in stride(from: 0, to: names.count, by: 12) {
            lines.append(names[start..<min(start + 12, names.count)].joined(separator: " "))
        }
        try reply(Reply(214, lines: lines + ["Help OK."]))
    }

    final func status(_ argument: [UInt8]) throws(SessionEnd) {
        guard argument.isEmpty else {
            guard login != nil else {
                try reply(530, "Please login with USER and PASS.")
                return
            }
            try statusOfPath(argument)
            return
        }
        var lines: [ReplyText] = ["FTP server status:"]
        lines.append("Connected from \(peer.address), \(control.stream.summary)")
        if let login {
            lines.append("Logged in as \(login.user), in \(path: workingDirectory)")
            lines.append("TYPE \(type == .ascii ? "ASCII" : "Image"), STRU File, \(mode.text)")
        } else {
            lines.append("Not logged in")
        }
        if let transfer {
            let count = transfer.handler?.byteCount ?? transfer.byteCount
            lines.append("\(transfer.command) \(transfer.path): \(count) bytes transferred")
        } else if login != nil {
            lines.append("No data connection")
        }
        try reply(Reply(211, lines: lines + ["End of status"]))
    }

    /// SITE WHO: where else the user is logged in.
    final func nameSessions() throws(SessionEnd) {
        let sessions: [SessionEntry]
        do throws(WardenGone) {
            sessions = try warden.listSessions()
        } catch {
            throw .processGone
        }
        let lines = sessions.map {
            "\($0.identifier) from \($0.address) since \(Timestamp(seconds: $0.since).timeVal)"
        }
        try reply(Reply(211, lines: ["Your sessions:"] + lines + ["End"]))
    }

    private func statusOfPath(_ argument: [UInt8]) throws(SessionEnd) {
        guard let wish = try listing(argument) else { return }
        let format = unixFormat(wish.flags)
        let options = wish.options(showsDotFiles: configuration.files.showsDotFiles)
        let found = try attempt(550, "STAT") { fileSystem throws(FileError) in
            let begun = try begin(wish, options, in: fileSystem)
            var text: [UInt8] = []
            var count = 0
            while true {
                let entries = try fileSystem.nextEntries()
                for entry in entries {
                    count += 1
                    guard count <= Self.maximumStatusEntryCount else { return (text, true) }
                    format(entry, begun.place, &text)
                }
                if entries.isEmpty { return (text, false) }
            }
        }
        guard let (text, isCut) = found else { return }
        var lines: [ReplyText] = ["Status of \(path: wish.path):"]
        lines += text.split(separator: UInt8(ascii: "\n")).map { ReplyText(name: $0.dropLast()) }
        lines.append(isCut ? "Cut here; use LIST for all." : "End of status")
        try reply(Reply(213, lines: lines))
    }
}

extension TransferMode {
    /// What STAT shows.
    fileprivate var text: String {
        switch self {
        case .stream: "MODE Stream"
        case .deflate: "MODE Deflate"
        }
    }
}
