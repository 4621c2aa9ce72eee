internal import Authentication
internal import FTPProtocol
internal import LinuxSystem
internal import Logging

// What the audit trail is told. Who somebody is and where from, a Session has no say in.

/// What a Warden knows about its records in the audit trail.
struct AuditedSession {
    /// As many as a client can cause that transfers the smallest of files as fast as it can.
    var actions = LogBudget(lineCount: 2_000, period: .seconds(1))
    let trail: AuditClient?
    /// Whether nothing is written before a login: there were too many clients of late.
    var isQuiet: Bool
    let watch = Stopwatch()
    var loginWatch = Stopwatch()
    /// Who has logged in, or tries to.
    var user: String?
    /// What protects the control connection.
    var tls: AuditedTLS?
    /// The proxy that speaks for the client.
    var proxy: SocketAddress?
    /// What was done since the login.
    var totals = Totals()
    /// Why the session had to end, if it had to.
    var reasonToEnd: FinishReason?
    private(set) var hasComplained = false

    /// What one login has done.
    struct Totals {
        var actions: UInt64 = 0
        var failures: UInt64 = 0
        var readCount: UInt64 = 0
        var readByteCount: UInt64 = 0
        var writtenCount: UInt64 = 0
        var writtenByteCount: UInt64 = 0

        mutating func add(_ action: AuditedAction) {
            actions &+= 1
            if !action.isDone { failures &+= 1 }
            switch action.kind {
            case .read:
                readCount &+= action.isDone ? 1 : 0
                readByteCount &+= action.byteCount
            case .write, .append:
                writtenCount &+= action.isDone ? 1 : 0
                writtenByteCount &+= action.byteCount
            default: break
            }
        }

        var object: JSONObject {
            var object = JSONObject()
            object.put("actions", actions)
            object.put("failed", failures)
            object.put("files_read", readCount)
            object.put("bytes_read", readByteCount)
            object.put("files_written", writtenCount)
            object.put("bytes_written", writtenByteCount)
            return object
        }
    }

    init(_ trail: AuditClient?, isQuiet: Bool) {
        self.trail = trail
        self.isQuiet = isQuiet
    }

    mutating func complain() -> Bool {
        defer { hasComplained = true }
        return !hasComplained
    }
}

extension Warden {
    /// Writes a record about this session, and waits until it is written.
    ///
    /// The session is over where it is not and has to be (`audit_required`).
    func audit(_ event: String, _ details: JSONObject = JSONObject()) {
        guard let trail = audited.trail else { return }
        var object = JSONObject()
        if let user = audited.user { object.put("user", user) }
        object.put("client", peer.auditObject)
        if let proxy = audited.proxy { object.put("proxy", proxy.auditObject) }
        object.put("server", local.auditObject)
        object.put("tls", audited.tls?.object)
        object.put(contentsOf: details)
        switch trail.record(event, object) {
        case .written: return
        case .lost:
            if audited.complain() {
                logger.error("records of this session are not in the audit trail")
            }
        case .unanswered(let record):
            // The last place where it can stand.
            let shown = LogText.escaped(
                Array(record.utf8),
                maximumByteCount: WardenRequest.maximumLogByteCount,
                isQuoted: false
            )
            logger.error("not known to be in the audit trail: \(shown)")
        }
        guard trail.isRequired, !isOver else { return }
        logger.error("session ended: it cannot be audited (audit_required)")
        isOver = true
    }

    /// Writes what the Session says that its client did.
    func audit(_ action: AuditedAction) {
        guard state.isLoggedIn || action.kind == .refusal else {
            logger.error("session ended: an action was audited before a login")
            isOver = true
            return
        }
        if action.kind == .refusal, audited.isQuiet { return }
        audited.actions.spendPatiently(wait(until:))
        audited.totals.add(action)
        audit(action.kind.word, action.members)
    }

    /// Takes note of what protects the control connection.
    func noteTLS(_ tls: AuditedTLS) {
        audited.tls = tls
        if !audited.isQuiet { audit("tls") }
    }

    /// Writes that the client has connected, or was turned away.
    func auditConnection(_ refusal: ClientRefusal? = nil) {
        guard !audited.isQuiet else { return }
        var object = JSONObject()
        object.put("result", refusal == nil ? "ok" : "failed")
        if let refusal {
            object.put("code", 421)
            object.put("reason", refusal.logText)
        }
        audit("connect", object)
    }

    /// Writes who has logged in.
    func auditLogin(_ user: String, _ account: Account, by proof: LoginProof) {
        audited.user = account.kind == .anonymous ? "anonymous" : user
        audited.isQuiet = false
        audited.totals = AuditedSession.Totals()
        audited.loginWatch = Stopwatch()
        var object = JSONObject()
        object.put("result", "ok")
        if case .certificate = proof { object.put("code", 232) } else { object.put("code", 230) }
        object.put("method", proofText(proof, for: account))
        object.put("account", account.name)
        object.put("kind", account.kind.auditWord)
        object.put("uid", UInt64(account.credentials.user))
        if let shown = certificate?.auditObject { object.put("certificate", shown) }
        audit("login", object)
    }

    /// Writes that somebody was not let in.
    func auditRefusal(of user: String, _ reason: String) {
        audited.user = user
        var object = JSONObject()
        object.put("result", "failed")
        object.put("code", 530)
        object.put("reason", reason)
        audit("login", object)
        audited.user = nil
    }

    /// Writes that a login has ended, and what was done in it.
    func auditLogout() {
        var object = JSONObject()
        object.put("duration_us", audited.loginWatch.nanoseconds / 1_000)
        object.put("totals", audited.totals.object)
        audit("logout", object)
        audited.user = nil
    }

    /// Writes that the session has ended.
    func auditEnd(_ status: CInt) {
        guard !audited.isQuiet else { return }
        var object = JSONObject()
        // 128 + 9: ended by this process, when the client was gone.
        object.put("result", [0, 128 + 9].contains(status) ? "ok" : "failed")
        if let reason = audited.reasonToEnd { object.put("reason", reason.auditWords) }
        object.put("duration_us", audited.watch.nanoseconds / 1_000)
        audit("disconnect", object)
    }
}

extension FinishReason {
    /// The words in a record.
    fileprivate var auditWords: String {
        switch self {
        case .restarts, .serverEnds: "the server ends"
        case .makesRoom: "others need the place"
        case .kicked: "ended by an administrator"
        }
    }
}

extension AccountKind {
    /// The word in a record.
    fileprivate var auditWord: String {
        switch self {
        case .local: "system"
        case .builtIn: "built-in"
        case .guest: "guest"
        case .virtual: "virtual"
        case .anonymous: "anonymous"
        }
    }
}

extension CertificateFinding {
    /// The object of a record.
    fileprivate var auditObject: JSONObject? {
        guard case .proved(let subject, let identities, let issuer, let serial) = self else {
            return nil
        }
        var object = JSONObject()
        object.put("subject", subject)
        object.put("issuer", issuer)
        object.put("serial", serial)
        let mark = "sha256:"
        if let digest = identities.first(where: { $0.hasPrefix(mark) }) {
            object.put("sha256", String(digest.dropFirst(mark.count)))
        }
        return object
    }
}
