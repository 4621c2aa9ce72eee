internal import Authentication
internal import FTPProtocol
internal import Isolation
internal import LinuxSystem
internal import Logging
internal import TLS

/// A session that TLS protects (RFC 4217).
///
/// TLS is required on the control connection before USER, and on data connections, unless
/// ``FTPHandler/Settings/tlsControlRequired`` and ``FTPHandler/Settings/tlsDataRequired`` are set to
/// `false`.
open class TLS_FTPHandler: FTPHandler {
    private var hasBufferSize = false
    private var level = ProtectionLevel.clear
    private var isCertificateProved = false

    // MARK: What may be done in another way

    /// Begins TLS on the control connection: after AUTH, or before the greeting where the client
    /// begins with it.
    ///
    /// Does nothing where TLS has begun or is not offered. A subclass that does not call `super`
    /// leaves the connection in clear.
    ///
    /// - Throws: ``SessionEnd`` when the handshake has failed: the session ends.
    open func secureConnection() throws(SessionEnd) { try beginTLS() }

    /// Called when TLS stands on the control connection, and what was said before is forgotten.
    open func handleSSLEstablished() {}

    /// Called when the handshake on the control connection has failed; the session ends after it.
    open func handleFailedSSLHandshake() {}

    /// Called when the client was told by `close_notify` that nothing more comes on the control
    /// connection.
    open func handleSSLShutdown() {}

    override func noteShutdown() { if isSecure { handleSSLShutdown() } }

    // MARK: What TLS changes

    override var protectionLevel: ProtectionLevel { level }
    override var tlsContext: TLSContext? { settings.tls }
    override var mayAdmitByCertificate: Bool {
        isCertificateProved && configuration.tls.certificateLogin == .alone
    }
    override var offersTLS: Bool { settings.tls != nil }

    override func begin() throws(SessionEnd) {
        if kind == .implicitTLS, settings.tls != nil { try secureConnection() }
        try super.begin()
    }

    override func refusalOfLogin(of user: String?) -> Reply? {
        let anonymous = configuration.anonymous
        let isAnonymous =
            anonymous.isEnabled && (user.map(AnonymousAuthorizer.isAnonymous) ?? false)
        guard !control.stream.isTLS else { return nil }
        // Before a password comes that must not be taken; where there are users of another kind,
        // nobody learns who is which.
        let isBarred =
            user != nil && !isAnonymous && !settings.hasUsersOfItsOwn
            && !configuration.tls.takesPlainSystemLogins
        guard settings.tls != nil else {
            if !mayBePlain { return Reply(530, "Plain FTP is not served to your network.") }
            return isBarred ? Reply(530, "System accounts do not log in without TLS.") : nil
        }
        let isRequired =
            isAnonymous ? anonymous.requiresTLSForLogin : configuration.tls.requiredForLogin
        guard (isRequired && kind != .plain) || isBarred || !mayBePlain else { return nil }
        return Reply(
            530,
            """
            TLS is required before login: send AUTH TLS first (choose "explicit FTP over TLS"; \
            in Python use ftplib.FTP_TLS).
            """
        )
    }

    /// Whether the client's network may do without TLS as far as the switches and the port allow it
    /// (`plain_ftp_networks`).
    private var mayBePlain: Bool {
        let networks = configuration.tls.plainNetworks
        return networks.isEmpty || networks.contain(peer.address)
    }

    override func refusalOfTransfer() -> Reply? {
        let isRequired =
            login?.terms.isAnonymous == true
            ? configuration.anonymous.requiresTLSForData : configuration.tls.requiredForData
        guard (isRequired && kind != .plain) || !mayBePlain, settings.tls != nil, !level.isPrivate
        else { return nil }
        // RFC 4217 section 10.2 names this code for it.
        return Reply(
            521,
            """
            Data connections must be encrypted: send PBSZ 0 and PROT P first (in Python call \
            prot_p()).
            """
        )
    }

    override var usualDTPHandler: DTPHandler.Type { TLS_DTPHandler.self }

    /// Issues the ticket that the next data connection resumes by.
    ///
    /// Sent right before the reply, so a client that has read the reply has read the ticket, too.
    override func prepareForDataConnection() throws(SessionEnd) {
        // It leaves with the reply.
        guard case .done = control.stream.issueTicket() else { throw .clientLeft }
    }

    // MARK: AUTH, PBSZ, PROT, CCC

    override func authenticateSecurity(_ mechanism: [UInt8]) throws(SessionEnd) {
        guard settings.tls != nil else {
            try super.authenticateSecurity(mechanism)
            return
        }
        guard !control.stream.isTLS else {
            try reply(503, "TLS is active already.")
            return
        }
        let name = String(decoding: mechanism, as: UTF8.self).uppercased()
        switch name {
        case "TLS", "TLS-C", "SSL", "TLS-P": break
        default:
            try countError()
            try reply(504, "Unknown AUTH type; use TLS.")
            return
        }
        // Bytes behind AUTH came in clear, from anybody on the path, and would be taken for the
        // client's own once TLS stands (CVE-2011-0411 and its kin).
        guard control.isDrained else {
            log(.warning, "bytes behind AUTH: session ended")
            try reply(503, "Bytes behind AUTH are not allowed, closing control connection.")
            throw .violation
        }
        // RFC 2228 section 3: a login made in clear does not carry over.
        try endLogin()
        try reply(234, "Proceed with negotiation.")
        try secureConnection()
        // RFC 4217 section 4.2 knows these two as implying protected data connections.
        if name == "SSL" || name == "TLS-P" {
            hasBufferSize = true
            level = .private
        }
    }

    private func beginTLS() throws(SessionEnd) {
        guard let context = settings.tls, !control.stream.isTLS else { return }
        // Whoever calls this may not have looked: what came before TLS is not to be taken for the
        // client's own words.
        guard control.isDrained else { throw .violation }
        do throws(TLSError) {
            try context.beginSessionScope()
            context.sessionHost = host.flatMap { OfferedName(name: Array($0.text.utf8)).text }
            try control.stream.beginTLS(
                context,
                as: .control,
                challenge: challenge.isEmpty ? nil : challenge
            )
        } catch {
            log(.error, "TLS not started: \(error)")
            throw .violation
        }
        let deadline = Deadline(after: configuration.tls.handshakeTimeout)
        let stream = control.stream
        let stopwatch = Stopwatch()
        if let failure = control.complete(until: deadline, stream.handshake) {
            count(nil, isData: false, nanoseconds: stopwatch.nanoseconds)
            let why =
                if let refusal = stream.certificateRefusal {
                    "client certificate refused: \(refusal.logText)"
                } else if stream.isNameRefused {
                    "TLS handshake for \(stream.serverName.map { LogText.value($0.utf8) } ?? "no host")"
                        + " refused (SNI)"
                } else {
                    "TLS handshake failed: \(failure.logText)"
                }
            log(.notice, why)
            try auditRefusal("TLS", why)
            handleFailedSSLHandshake()
            throw .clientLeft
        }
        count(stream, isData: false, nanoseconds: stopwatch.nanoseconds)
        guard !configuration.tls.requiresALPN || stream.hasApplicationProtocol else {
            log(.notice, "client without ALPN refused (ssl_alpn_required)")
            try auditRefusal("TLS", "client without ALPN refused (ssl_alpn_required)")
            throw .violation
        }
        context.sessionHost = stream.serverName ?? context.sessionHost
        // What was said in clear may have been somebody else's words.
        flushAccount()
        try markLog(isClear: false)
        try auditTLS()
        board.note(tls: stream.summary)
        let name = context.sessionHost.map { ", host \(LogText.value($0.utf8))" } ?? ""
        log(.info, "TLS established: \(stream.summary)\(name)")
        try proveCertificate()
        handleSSLEstablished()
    }

    /// Hands the handshake in which the client showed its certificate to the Warden, who believes
    /// nothing but the client's signature in it.
    private func proveCertificate() throws(SessionEnd) {
        guard let recording = control.stream.takeClientProof() else { return }
        do throws(WardenGone) {
            isCertificateProved = try warden.showCertificate(recording)
        } catch {
            throw .processGone
        }
    }

    override func setProtectionBufferSize(_ argument: [UInt8]) throws(SessionEnd) {
        guard control.stream.isTLS else {
            try reply(503, "PBSZ needs a secure connection.")
            return
        }
        guard let size = DecimalNumber.parse(argument), size <= Int64(UInt32.max) else {
            try reply(501, "PBSZ takes a number; with TLS it is 0.")
            return
        }
        hasBufferSize = true
        // RFC 4217 section 8: with TLS the only size is 0, whatever was asked for.
        try reply(200, "PBSZ=0")
    }

    override func setProtectionLevel(_ argument: [UInt8]) throws(SessionEnd) {
        guard control.stream.isTLS else {
            try reply(503, "PROT needs a secure connection.")
            return
        }
        guard hasBufferSize else {
            try reply(503, "PBSZ has to come first.")
            return
        }
        let wanted: ProtectionLevel
        do throws(TransferParameterError) {
            wanted = try ProtectionLevel(argument: argument)
        } catch {
            switch error {
            case .unsupported: try reply(536, "PROT level not supported; use P.")
            case .malformed: try reply(504, "PROT takes P or C.")
            }
            return
        }
        // Before the login nobody knows which of the two rules will hold; the transfer asks again.
        let anonymous = configuration.anonymous
        let isRequired =
            configuration.tls.requiredForData
            && (!anonymous.isEnabled || anonymous.requiresTLSForData)
        guard wanted.isPrivate || !isRequired || kind == .plain else {
            try reply(534, "PROT C is refused: data connections must be encrypted.")
            return
        }
        level = wanted
        try reply(200, wanted.isPrivate ? "PROT now Private." : "PROT now Clear.")
    }

    override func clearControlConnection() throws(SessionEnd) {
        guard control.stream.isTLS else {
            try super.clearControlConnection()
            return
        }
        try reply(534, "CCC is refused: the control connection stays encrypted.")
    }

    override func reinitialize() throws(SessionEnd) {
        // RFC 4217 section 13 has REIN end TLS on the connection. Here nothing is ever sent in
        // clear once TLS has begun, so a client that wants another user connects again.
        guard !control.stream.isTLS else {
            try reply(502, "REIN would end TLS; please QUIT and connect again.")
            return
        }
        try super.reinitialize()
    }
}
