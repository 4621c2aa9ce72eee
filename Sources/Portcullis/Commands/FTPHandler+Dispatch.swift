internal import FTPProtocol
internal import Isolation
internal import LinuxSystem
internal import Logging
internal import TLS

// From a line to the method that carries it out, through the one command table.

extension FTPHandler {
    /// Carries out one command line while no transfer runs.
    final func handle(_ event: CommandLineReader.Event) throws(SessionEnd) {
        defer { event.wipe() }
        guard let command = try parse(event) else { return }
        defer { command.wipeSecret() }
        try noteWorkInClear(command.verb)
        log(.debug, "\"\(command.logText)\"")
        record(command)
        beginAudit(of: command)
        guard let verb = command.verb else {
            guard let custom = customCommand(String(decoding: command.name, as: UTF8.self)) else {
                try refuseUnknown(command)
                return
            }
            let refusal = refusal(of: custom, command.argument)
            try answer(command, refusal)
            return
        }
        let rule = CommandTable.rule(for: verb)
        if let refusal = refusal(of: command, rule) {
            try answer(command, refusal)
            return
        }
        if transfer == nil {
            if verb != .rnto { renameSource = nil }
            if verb != .cpto, verb != .site { copySource = nil }
        }
        board.note(command: verb.rawValue)
        defer { board.note(command: transfer?.command ?? "") }
        try answer(command, nil)
        // QUIT came while a file was hashed or copied.
        if isQuitting, transfer == nil { throw .clientLeft }
    }

    /// Refuses a command, or carries it out, and has the program say what the log is to have of it.
    private func answer(_ command: Command, _ refusal: Reply?) throws(SessionEnd) {
        lastReply = nil
        defer { noteAnswer(to: command) }
        guard let refusal else { return try processCommand(FTPCommand(command)) }
        try countError()
        try reply(refusal)
    }

    private func noteAnswer(to command: Command) {
        guard settings.embedding != nil, let answer = lastReply, answer.code >= 200,
            isKnown(command)
        else { return }
        let text = answer.lines.first.map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
        guard let line = logCommand(FTPCommand(command), code: answer.code, reply: text) else {
            return
        }
        log(.info, line)
    }

    /// Has the log marked from the first command on that is no mere prelude to TLS.
    private func noteWorkInClear(_ verb: Verb?) throws(SessionEnd) {
        guard !control.stream.isTLS, !(verb.map(CommandTable.isPrelude) ?? false) else { return }
        try markLog(isClear: true)
    }

    private func parse(_ event: CommandLineReader.Event) throws(SessionEnd) -> Command? {
        let line: [UInt8]
        switch event {
        case .tooLong:
            try countError()
            try reply(500, "Line too long.")
            return nil
        case .line(let bytes):
            line = bytes
        }
        let command: Command?
        do throws(CommandError) {
            command = try understood(line)
        } catch {
            try countError()
            switch error {
            case .empty, .malformedVerb: try reply(500, "Unknown command.")
            case .forbiddenByte: try reply(501, "Forbidden byte in argument.")
            }
            return nil
        }
        guard let command else {
            try countError()
            try reply(501, "The argument is no UTF-8.")
            return nil
        }
        return command
    }

    private func refuseUnknown(_ command: Command) throws(SessionEnd) {
        // A browser that was tricked into speaking to an FTP port must not get far.
        if ForeignProtocol.isSpoken(in: command) {
            try reply(500, "This is an FTP server; other protocols are not spoken here.")
            throw .violation
        }
        try countError()
        try reply(500, "Unknown command.")
    }

    private func refusal(of command: Command, _ rule: CommandRule) -> Reply? {
        guard rule.isImplemented, offers(rule.verb) else {
            return .notImplemented
        }
        if login == nil, rule.needsLogin, !isOpen(command) {
            return refusalOfLogin(of: userName) ?? Reply(530, "Please login with USER and PASS.")
        }
        let name = rule.verb.rawValue
        if login != nil, isDenied(rule.verb) { return Reply(550, "Permission denied.") }
        switch rule.argument {
        case .none where !command.argument.isEmpty:
            return Reply(501, "\(name) takes no argument.")
        case .required where command.argument.isEmpty:
            return Reply(501, "\(name) needs an argument: \(rule.syntax)")
        case .none, .required, .optional:
            return nil
        }
    }

    /// Whether it is a command of the program's own behind SITE, and for everybody.
    private func isOpen(_ command: Command) -> Bool {
        guard command.verb == .site else { return false }
        return customCommand("SITE \(command.firstWord.keyword)")?.needsLogin == false
    }

    /// Whether what stands behind SITE is a command of ours or of the program's: behind one of another
    /// server's may be a password (SITE PSWD).
    private func isKnown(_ command: Command) -> Bool {
        guard command.verb == .site else { return true }
        let word = command.firstWord
        return SiteCommand(name: word) != nil || customCommand("SITE \(word.keyword)") != nil
    }

    /// Counts a command that made no sense; too many before a login end the session.
    final func countError() throws(SessionEnd) {
        guard login == nil else { return }
        errorCount += 1
        guard errorCount <= Self.maximumErrorCount else {
            try reply(500, "Too many errors.")
            throw .violation
        }
    }

    final func perform(_ verb: Verb, _ argument: [UInt8]) throws(SessionEnd) {
        try giveUpLogin(for: verb)
        switch verb {
        case .user: try setUser(argument)
        case .pass: try checkPassword(argument)
        case .acct: try giveAccount(argument)
        case .rein: try reinitialize()
        case .quit: try quit()
        case .auth: try authenticateSecurity(argument)
        case .pbsz: try setProtectionBufferSize(argument)
        case .prot: try setProtectionLevel(argument)
        case .ccc: try clearControlConnection()
        case .noop: try reply(200, "NOOP ok.")
        case .syst: try reply(215, "UNIX Type: L8")
        case .help: try help(argument)
        case .feat: try features()
        case .opts: try setOptions(argument)
        case .stat: try status(argument)
        case .type: try setType(argument)
        case .stru: try setStructure(argument)
        case .mode: try setMode(argument)
        case .pwd: try printWorkingDirectory()
        case .cwd: try changeDirectory(argument)
        case .cdup: try changeDirectory(Array("..".utf8))
        case .pasv: try enterPassiveMode()
        case .epsv: try enterExtendedPassiveMode(argument)
        case .port: try setPort(argument)
        case .eprt: try setExtendedPort(argument)
        case .esta: try nameOwnEnd()
        case .estp: try nameClientEnd()
        case .list: try list(argument)
        case .nlst: try listNames(argument)
        case .mlsd: try listMachine(argument)
        case .mlst: try describeMachine(argument)
        case .retr: try retrieve(argument)
        case .stor: try store(argument, appending: false)
        case .appe: try store(argument, appending: true)
        case .stou: try storeUnique(argument)
        case .rest: try setRestartOffset(argument)
        case .rang: try setRange(argument)
        case .allo: try allocate(argument)
        case .host: try setHost(argument)
        case .lang: try setLanguage(argument)
        case .clnt: try noteClient(argument)
        case .pret: try announceTransfer(argument)
        case .csid: try exchangeClientNames(argument)
        case .avbl: try availableSpace(argument)
        case .hash: try hash(argument)
        case .xcrc: try digest(argument, .crc32, "XCRC")
        case .xmd5: try digest(argument, .md5, "XMD5")
        case .xsha, .xsha1: try digest(argument, .sha1, verb.rawValue)
        case .xsha256: try digest(argument, .sha256, "XSHA256")
        case .xsha512: try digest(argument, .sha512, "XSHA512")
        case .md5: try md5(argument)
        case .cpfr: try copyFrom(argument)
        case .cpto: try copyTo(argument)
        case .mff: try setFacts(argument)
        case .abor: try abortNothing()
        case .dele: try deleteFile(argument)
        case .mkd: try makeDirectory(argument)
        case .rmd: try removeDirectory(argument)
        case .rnfr: try renameFrom(argument)
        case .rnto: try renameTo(argument)
        case .size: try size(argument)
        case .mdtm: try modificationTime(argument)
        case .mfmt: try setModificationTime(argument)
        case .site: try site(argument)
        case .mfct, .smnt, .adat, .mic, .conf, .enc:
            try reply(.notImplemented)
        }
    }

    private func quit() throws(SessionEnd) {
        try reply(Reply(221, text: configuration.session.quitMessage ?? "Goodbye."))
        throw .clientLeft
    }

    /// Carries out what the client sent while a transfer runs.
    ///
    /// ABOR at once, wherever it stands; STAT, NOOP, QUIT and lines without sense when their turn
    /// comes; anything else, and what stands behind it, when the transfer is over.
    ///
    /// - Returns: Whether the transfer is to be aborted.
    /// - Throws: ``SessionEnd`` when a reply cannot be sent.
    final func handleDuringTransfer() throws(SessionEnd) -> Bool {
        isServingDuringTransfer = true
        defer { isServingDuringTransfer = false }
        let waiting = control.waiting()
        if let index = waiting.firstIndex(where: { $0.outline?.verb == .abor }) {
            control.take(at: index)
            log(.debug, "ABOR")
            record(.abor)
            return true
        }
        guard !isQuitting else { return false }
        for event in waiting {
            guard let outline = event.outline else {
                _ = control.next()
                try handle(event)
                continue
            }
            guard let verb = outline.verb, CommandTable.rule(for: verb).duringTransfer,
                !outline.hasArgument
            else { return false }
            _ = control.next()
            if verb != .quit {
                try handle(event)
                continue
            }
            log(.debug, verb.rawValue)
            record(verb)
            try reply(221, "Goodbye; the transfer is completed first.")
            isQuitting = true
            return false
        }
        return false
    }
}

extension CommandLineReader.Event {
    /// What kind of command it is, if it is one at all.
    fileprivate var outline: (verb: Verb?, hasArgument: Bool)? {
        guard case .line(let bytes) = self, let command = try? Command(line: bytes) else {
            return nil
        }
        defer { command.wipeSecret() }
        return (command.verb, !command.argument.isEmpty)
    }

    /// Overwrites a line that has been carried out: it may be a password, well typed or not.
    fileprivate func wipe() {
        if case .line(let bytes) = self { wipeMemory(of: bytes) }
    }
}

extension Command {
    /// What stands behind the command, up to the first space.
    fileprivate var firstWord: [UInt8] { Array(argument.prefix { $0 != UInt8(ascii: " ") }) }

    /// Overwrites what may be a password; others have a copy of what they keep.
    fileprivate func wipeSecret() {
        switch verb {
        case .pass, .acct, .adat, nil:
            wipeMemory(of: argument)
            wipeStack()
        default: break
        }
    }
}

extension Reply {
    /// What a known command gets that is not served here (RFC 959 section 4.2.1).
    static let notImplemented = Reply(502, "Command not implemented.")
}
