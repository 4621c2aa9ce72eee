internal import LinuxSystem
internal import Logging

// The rate of the whole server, which Sessions keep and only Wardens know.

/// A Session's place in the queue of everybody who moves bytes.
struct ServerPace {
    let limiter: RateLimiter
    /// When this Session may move more.
    var next = Deadline.passed
}

extension Warden {
    /// Charges bytes that the Session has moved, and tells when it may move more.
    ///
    /// Before that time nothing more is charged: a Session that somebody else controls gets its turn
    /// like every other, and cannot use up the others' by asking.
    func charge(_ byteCount: UInt32) throws(SystemError) {
        var pace = serverPace ?? makeServerPace()
        // Ours names a piece at a time; more would be a longer turn than the others have.
        guard byteCount <= ServerRate.pieceByteCount(settings.serverRate) else {
            logger.error("session ended: it asked for more than a turn of server_max_rate")
            isOver = true
            return
        }
        let isDue = pace?.next.hasPassed ?? true
        if isDue, let limiter = pace?.limiter { pace?.next = limiter.charge(Int(byteCount)) }
        serverPace = pace
        let wait = pace?.next.nanosecondsLeft ?? 0
        try channel.send(WardenReply.charged(wait: wait, isCharged: isDue).encoded)
    }

    private func makeServerPace() -> ServerPace? {
        guard settings.serverRate > 0 else { return nil }
        // Without the Listener's page the rate still holds for this session.
        guard let page = census.page(.serverRate), let shared = try? SharedPage(mapping: page)
        else {
            return ServerPace(limiter: RateLimiter(rate: settings.serverRate))
        }
        return ServerPace(
            limiter: RateLimiter(rate: settings.serverRate, sharing: shared, at: 0)
        )
    }
}
