internal import LinuxSystem
internal import Logging

// The rates that sessions share, which Sessions keep and only Wardens know: whoever holds such a page
// can stop the transfers of everybody who shares it.

/// What a Session is charged for the bytes that it moves.
struct SharedPace {
    /// One for each rate that holds.
    let limiters: [RateLimiter]
    /// The longest turn that it gets.
    let pieceByteCount: Int
}

extension Warden {
    /// Charges bytes that the Session has moved, and tells when it may move more.
    ///
    /// Before that time nothing more is charged: a Session that somebody else controls gets its turn
    /// like every other, and cannot use up the others' by asking.
    func charge(_ byteCount: UInt32) throws(SystemError) {
        let pace = pace ?? makePace()
        self.pace = pace
        // Ours names a piece at a time; more would be a longer turn than the others have.
        guard byteCount <= pace.pieceByteCount else {
            logger.error("session ended: it asked for more than a turn of a rate that others share")
            isOver = true
            return
        }
        let isDue = nextTurn.hasPassed
        if isDue {
            for limiter in pace.limiters {
                nextTurn = max(nextTurn, limiter.charge(Int(byteCount)))
            }
        }
        let wait = nextTurn.nanosecondsLeft
        try channel.send(WardenReply.charged(wait: wait, isCharged: isDue).encoded)
    }

    /// Unmaps what Wardens alone may write, in a process that is to do somebody else's work.
    func forgetSharedPages() {
        pace = nil
        logLimiter = nil
        passive = PassiveState()
    }

    private func makePace() -> SharedPace {
        let rates = [
            (settings.serverRate, UserPage.serverRate), (profile?.userRate ?? 0, .userRate),
        ]
        return SharedPace(
            limiters: rates.filter { $0.0 > 0 }.map(limiter),
            pieceByteCount: SharedRates.pieceByteCount(rates.map(\.0))
        )
    }

    /// A limiter that all Wardens share, or those of a user.
    func limiter(_ rate: Int, on kind: UserPage) -> RateLimiter {
        // Without the Listener's page the rate still holds for this session.
        guard let page = census.page(kind), let shared = try? SharedPage(mapping: page) else {
            return RateLimiter(rate: rate)
        }
        return RateLimiter(rate: rate, sharing: shared, at: 0)
    }
}
