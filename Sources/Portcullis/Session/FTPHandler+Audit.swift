internal import FTPProtocol
internal import Isolation
internal import LinuxSystem
internal import TLS

// What the audit trail is told, with the reply that each command gets, and before the client gets it.

/// The command of which a record is to be written.
struct AuditedCommand {
    var action: AuditedAction
    let stopwatch = Stopwatch()
    /// Computes the hash of the content that is transferred, where that is the whole file.
    var hash: ContentHash?
}

extension FTPHandler {
    private var isAudited: Bool { settings.configuration.logs.audit.writes }

    /// Takes note of a command that leaves a record.
    final func beginAudit(of command: Command) {
        guard isAudited, transfer == nil else { return }
        audited = nil
        guard let verb = command.verb else { return }
        if login == nil {
            guard verb == .user || verb == .pass else { return }
            audited = AuditedCommand(action: AuditedAction(.refusal, verb.rawValue))
            return
        }
        // STAT with a path is a listing.
        let isListing = verb == .stat && !command.argument.isEmpty
        guard let kind = isListing ? .list : AuditedAction.Kind(verb) else { return }
        guard kind == .site else {
            audited = AuditedCommand(action: AuditedAction(kind, verb.rawValue))
            return
        }
        let words = command.argument.split(
            separator: UInt8(ascii: " "),
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        let known = words.first.flatMap { SiteCommand(name: [UInt8]($0)) }
        let name = known.map { "SITE \($0.rawValue)" } ?? "SITE"
        var action = AuditedAction(known.map(AuditedAction.Kind.init) ?? .site, name)
        if action.kind == .site {
            // What follows a command of another server may be a password (SITE PSWD).
            let shown = known == nil ? words.first : words.dropFirst().first
            action.detail = shown.map { [UInt8]($0) } ?? []
        }
        audited = AuditedCommand(action: action)
    }

    /// Completes the record of the command that is carried out.
    final func audit(_ complete: (inout AuditedAction) -> Void) {
        guard var command = audited.take() else { return }
        complete(&command.action)
        audited = command
    }

    /// Completes it with what the logs of transfers are told.
    final func audit(
        _ command: String,
        _ path: VirtualPath,
        isDone: Bool,
        _ logged: LoggedAction?
    ) {
        // A time that was set by MDTM, which otherwise only asks.
        if isAudited, audited == nil, command == "MDTM", isDone {
            audited = AuditedCommand(action: AuditedAction(.changeTime, command))
        }
        audit { action in
            action.path = path
            guard let logged else { return }
            action.target = logged.target
            if logged.kind == .changeMode { action.mode = logged.mode }
            action.isASCII = logged.isASCII
        }
    }

    /// Completes it with how a transfer went.
    final func audit(_ handler: DTPHandler, _ connection: AdmittedConnection, isDone: Bool) {
        guard var command = audited.take() else { return }
        command.action.byteCount = UInt64(clamping: handler.byteCount)
        command.action.data = AuditedData(
            tls: connection.stream.auditedTLS,
            proof: connection.proof.audited
        )
        if let hash = command.hash.take(), isDone {
            command.action.digest = hash.finish()
        }
        audited = command
    }

    /// Whether the content of the transfer that begins is to be hashed.
    ///
    /// - Parameter isWhole: Whether the whole file is transferred.
    /// - Returns: What computes it.
    final func beginContentHash(isWhole: Bool) -> ContentHash? {
        guard isWhole, settings.configuration.logs.audit.hashesContent, var command = audited.take()
        else { return nil }
        command.hash = try? ContentHash(.sha256)
        audited = command
        return command.hash
    }

    /// Writes the record of the command with the reply to it, before the client gets that.
    ///
    /// - Throws: ``SessionEnd`` when it cannot be written and has to be (`audit_required`).
    final func audit(_ reply: Reply) throws(SessionEnd) {
        // A transfer answers STAT and NOOP as well, and promises an end to QUIT.
        guard audited != nil, reply.code >= 200, !isServingDuringTransfer else { return }
        guard var command = audited.take() else { return }
        let asksForMore = (300..<400).contains(reply.code)
        let isRefusal = command.action.kind == .refusal
        guard !asksForMore, !isRefusal || (reply.code == 530 && pendingUser == nil) else { return }
        command.action.code = reply.code
        if reply.code >= 400 {
            command.action.reason =
                reply.lines.first.map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
        }
        try write(&command)
    }

    /// Writes the record of a command that gets no reply any more.
    final func auditEnd(_ reason: SessionEnd) {
        guard var command = audited.take(), command.action.kind != .refusal else { return }
        command.action.reason = "the session has ended: \(reason)"
        try? write(&command)
    }

    /// Writes that something was refused that is no command.
    final func auditRefusal(_ what: String, _ reason: String) throws(SessionEnd) {
        guard isAudited else { return }
        var command = AuditedCommand(action: AuditedAction(.refusal, what))
        command.action.reason = reason
        try write(&command)
    }

    private func write(_ command: inout AuditedCommand) throws(SessionEnd) {
        command.action.nanoseconds = command.stopwatch.nanoseconds
        do throws(WardenGone) {
            try warden.audit(command.action)
        } catch {
            throw .processGone
        }
    }

    /// Tells what protects the control connection from here on.
    final func auditTLS() throws(SessionEnd) {
        guard isAudited, let tls = control.stream.auditedTLS else { return }
        do throws(WardenGone) {
            try warden.noteTLS(tls)
        } catch {
            throw .processGone
        }
    }
}

extension NetworkStream {
    /// What protects the connection; `nil` in clear.
    fileprivate var auditedTLS: AuditedTLS? {
        guard let facts = tlsFacts else { return nil }
        func cut(_ name: String) -> String { String(name.prefix(AuditedTLS.maximumNameByteCount)) }
        return AuditedTLS(
            version: cut(facts.version),
            suite: cut(facts.suite),
            group: cut(facts.group),
            isResumed: isResumed
        )
    }
}

extension AdmissionProof {
    fileprivate var audited: AuditedData.Proof {
        switch self {
        case .session: .session
        case .certificate: .certificate
        case .address: .address
        case .none: .none
        }
    }
}
