internal import Authentication
internal import FTPProtocol
internal import LinuxSystem
internal import Logging

// What administrators have the Listener do, and ask it.

extension Listener {
    /// Answers one question of the Clerk.
    func serveAdmin() {
        guard let admin, let request = admin.receive(logger) else { return }
        switch request {
        case .sessions(let process):
            let sessions = census.sessions(after: process)
            let count = AdminAnswer.maximumSessionCount
            let some = [LiveSession](sessions.prefix(count))
            admin.send(.sessions(some, isLast: sessions.count <= count), logger)
        case .kick(let target, let user):
            admin.send(.kicked(UInt32(clamping: kick(target, for: user))), logger)
        case .unlock(let target, let user):
            admin.send(.unlocked(UInt32(clamping: unlock(target, for: user))), logger)
        case .reload(let user):
            let outcome = reread(for: user)
            admin.send(.reloaded(isDone: outcome.isDone, outcome.lines), logger)
        case .status: admin.send(.status(currentStatus()), logger)
        case .page(let process):
            // None for a session that has ended meanwhile.
            let page = census.page(of: CInt(truncatingIfNeeded: process))
            admin.send(page == nil ? .noPage : .page, with: page, logger)
        }
    }

    /// Reads anew what may change while the server runs.
    ///
    /// - Parameter user: The id of the administrator who wishes it; `nil` for SIGHUP.
    /// - Returns: What came of it.
    func reread(for user: UInt32?) -> ReloadOutcome {
        logger.notice(
            "reading configuration and certificates anew",
            metadata: ["by": .string(user.map { "uid:\($0)" } ?? "SIGHUP")]
        )
        manager?.noteReload()
        defer { manager?.noteReady(statusLine) }
        // What the files hold that Wardens read anew for each login.
        for line in authorizers.flatMap({ $0.inspect() }) { logger.notice("\(line)") }
        logs?.reopen(logger)
        auditor?.rotate()
        let outcome = reload(true)
        // Wardens have what stood in this process when they were forked.
        freeWardens.retire()
        meter?.noteReload(isDone: outcome.isDone)
        auditor?.record(outcome, for: user)
        return outcome
    }

    /// Has sessions go, whatever they are at.
    ///
    /// - Parameters:
    ///   - target: Which are meant.
    ///   - user: The id of the administrator who wishes it.
    /// - Returns: How many there were.
    private func kick(_ target: AdminTarget, for user: UInt32) -> Int {
        let sessions = census.kick(target)
        var metadata = metadata(of: target, user)
        metadata["sessions"] = .string(LogText.value(sessions.joined(separator: ",").utf8))
        logger.notice("sessions told to go by an administrator", metadata: metadata)
        auditor?.recordKick(target, sessions.count, by: user)
        return sessions.count
    }

    /// What the log is told of who is meant, and by whom.
    private func metadata(of target: AdminTarget, _ user: UInt32) -> Logger.Metadata {
        ["which": .string(LogText.value(target.words.utf8)), "uid": .stringConvertible(user)]
    }

    /// Lets a user, or addresses, in again that are kept out after failed logins, and has their
    /// refusals wait no longer than the first.
    ///
    /// - Parameters:
    ///   - target: Who is meant; no session.
    ///   - user: The id of the administrator who wishes it.
    /// - Returns: How many were kept out.
    private func unlock(_ target: AdminTarget, for user: UInt32) -> Int {
        let count: Int
        switch target {
        case .user(let name):
            failuresOfUsers.forget(user: name)
            count = locks.lift(name)
        case .network(let network):
            failuresFromAddresses.forget(network)
            count = bans.lift(network)
        case .session: count = 0
        }
        let metadata = metadata(of: target, user)
        logger.notice("\(count) kept out no longer, by an administrator", metadata: metadata)
        auditor?.recordUnlock(target, count, by: user)
        return count
    }

    /// Maps the page on which this process counts; `nil` where nobody asks.
    func makeMeter() -> Meter? {
        guard metrics != nil, let page = census.mapServerPage(.metrics) else { return nil }
        let meter = try? Meter(on: page)
        if signer != nil { meter?.noteStart(of: .signer) }
        return meter
    }

    /// Starts the processes that people and programs ask when they are missing, and tells how many
    /// sessions there are.
    func tendDesks() {
        guard !isEnding else { return }
        if let meter {
            let counts = [census.pendingCount, census.loggedInCount, census.leavingCount]
            for (index, count) in counts.enumerated() {
                meter.set(Metrics.sessions, index, to: Int64(max(0, count)))
            }
        }
        if let admin, admin.restore(logger) { meter?.noteStart(of: .clerk) }
        let census = census
        if let metrics, metrics.restore(logger, { census.mapServerPage(.metrics) }) {
            meter?.noteStart(of: .metrics)
        }
    }

    /// How the server is.
    private func currentStatus() -> ServerStatus {
        var status = status()
        census.count(in: &status)
        status.processes = [
            ("ftps-listener", DaemonProcess.id), ("ftps-signer", signer?.process),
            ("ftps-resolver", resolver.number), ("ftps-auditor", auditor?.process),
            ("ftps-clerk", admin?.process), ("ftps-metrics", metrics?.process),
        ].compactMap { name, process in
            process.map { ServerStatus.Process(name: name, number: UInt32(clamping: $0)) }
        }
        return status
    }
}
