internal import Authentication
internal import Isolation
internal import LinuxSystem
internal import Logging
internal import TLS

// What is read anew while the server runs, for later sessions: SIGHUP, and `portcullis reload`.

extension Gateway {
    /// Options that decide about sockets, files and processes that are there since the start.
    private static let fixedOptions: Set<String> = [
        "listen", "listen_ipv6", "listen_port", "listen_address", "listen_address6",
        "implicit_listen_port", "plain_listen_port", "implicit_ssl", "ssl_enable", "ssl_policy",
        "pasv_address", "pasv_addr_resolve", "pasv_addr_resolve_interval", "pasv_enable",
        "pasv_max_per_ip", "xferlog_enable", "xferlog_std_format",
        "xferlog_file", "vsftpd_log_file", "dual_log_enable", "syslog_enable", "nopriv_user",
        "seccomp_sandbox", "seccomp_report", "pam_sandbox", "admin_socket", "admin_group",
        "metrics_address",
        "audit_log_file", "audit_required", "audit_content_hash", "audit_sync", "audit_log_group",
        "audit_key_file",
    ]

    /// Reads configuration, certificates and keys anew.
    ///
    /// What cannot be used changes nothing. Certificates are exchanged even where the configuration
    /// is not, so that one which is being edited lets none expire.
    ///
    /// - Parameter isAsked: Whether somebody wants it; the configuration stays where nobody does.
    /// - Returns: What came of it.
    func reload(isAsked: Bool) -> ReloadOutcome {
        var outcome = ReloadOutcome(isDone: true, lines: [])
        let wish = isAsked ? readConfiguration(&outcome) : nil
        let next = wish?.report ?? report
        do throws(ServerError) {
            let certificates = try ServerCertificates(next)
            let fingerprint = certificates.fingerprint
            let signer = try Self.startSigner(certificates, next)
            let context = try Self.makeContext(certificates, next)
            // The Signer has read keys for the one and this process the other.
            guard certificates.fingerprint == fingerprint else {
                throw ServerError(
                    "certificate files changed while they were read; send SIGHUP again"
                )
            }
            if let signer { listener.use(signer) }
            settings.tls = context
            listener.certificateCheck = Self.certificateCheck(context)
            certificateExpiries = Self.expiries(of: certificates)
            listener.meter?.note(expiries: certificateExpiries.map(\.expiry))
            for problem in certificates.responseProblems { logger.warning("\(problem)") }
            if let wish { use(wish, &outcome) }
            logger.notice("certificates loaded")
            outcome.lines.append("certificates loaded")
        } catch {
            let rest = listener.canSign ? "the old ones stay" : "and nothing can be signed"
            outcome.fail("certificates not loaded, \(rest): \(error)", logger)
            if let wish, !wish.changes.isEmpty {
                outcome.fail("configuration not loaded, as its certificates are not", logger)
            }
        }
        guard isAsked else { return outcome }
        lastReload = secondsSinceEpoch()
        hasReloaded = outcome.isDone
        return outcome
    }

    /// A configuration that later sessions can be served by.
    private struct Wish {
        let report: ConfigurationReport
        let authorizers: [any Authentication.Authorizer]
        let listening: ListenerSettings
        /// The options that are others, each with what a person is told of it.
        let changes: [(name: String, text: String)]
        /// Those that take a restart.
        let waiting: [String]
    }

    /// Reads the configuration, and everything that it names but certificates.
    ///
    /// - Returns: `nil` where it cannot be used, or was not read.
    private func readConfiguration(_ outcome: inout ReloadOutcome) -> Wish? {
        guard let reread else { return nil }
        let (next, waiting) = reread(Self.fixedOptions, report)
        guard next.problems.isEmpty else {
            for problem in next.problems {
                outcome.fail("configuration not loaded: \(problem.text)", logger)
            }
            outcome.note(waiting, logger)
            return nil
        }
        let new = next.entriesInForce
        let names = next.optionsThatDiffer(from: report)
        do throws(ServerError) {
            var listening = try Self.makeListenerSettings(next)
            listening.announce(settings.advertisedAddress, next.configuration.passive)
            return Wish(
                report: next,
                authorizers: try Self.makeAuthorizers(next, demonstration),
                listening: listening,
                changes: names.sorted().map { name in
                    let value = new[name]?.value?.shownInOneLine
                    return (name, value.map { "\(name)=\($0)" } ?? "\(name) is the default")
                },
                waiting: waiting
            )
        } catch {
            outcome.fail("configuration not loaded: \(error)", logger)
            return nil
        }
    }

    /// Has later sessions be served by another configuration.
    private func use(_ wish: Wish, _ outcome: inout ReloadOutcome) {
        listener.use(wish.listening, wish.authorizers)
        settings.configuration = wish.report.configuration
        settings.hasUsersOfItsOwn = Self.hasUsersOfItsOwn(wish.authorizers)
        report = wish.report
        for (name, text) in wish.changes {
            logger.notice("changed: \(text)")
            outcome.lines.append("changed: \(text)")
            outcome.changed.append(name)
        }
        logger.notice("configuration loaded")
        for warning in report.warnings { logger.warning("\(warning.text)") }
        outcome.note(wish.waiting, logger)
    }

    /// Whether somebody may log in who is neither anonymous nor an account of the system.
    static func hasUsersOfItsOwn(_ authorizers: [any Authentication.Authorizer]) -> Bool {
        authorizers.contains {
            !($0 is Authentication.UnixAuthorizer) && !($0 is AnonymousAuthorizer)
        }
    }
}

extension ReloadOutcome {
    /// Notes why something does not hold.
    fileprivate mutating func fail(_ line: String, _ logger: Logger) {
        isDone = false
        lines.append(line)
        logger.error("\(line)")
    }

    /// Notes options that were changed and stay as they are until the next start.
    fileprivate mutating func note(_ waiting: [String], _ logger: Logger) {
        guard !waiting.isEmpty else { return }
        isDone = false
        self.waiting = waiting
        let line = "takes a restart: \(waiting.joined(separator: ", "))"
        lines.append(line)
        logger.warning("\(line)")
    }
}
