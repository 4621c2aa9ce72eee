internal import LinuxSystem

/// The rates that hold for all transfers of a login.
final class TransferPacing {
    private let readLimiters: [RateLimiter]
    private let writeLimiters: [RateLimiter]
    private let maximumPieceByteCount: Int
    private let sharedRates: [Int]

    /// What transfers have moved and not waited for, which a transfer that is broken off leaves to
    /// the next one.
    private let debt = TransferDebt()

    /// Takes the rates that `rates` names for this login.
    ///
    /// - Parameters:
    ///   - rates: What the configuration says.
    ///   - isAnonymous: Whether the rates of anonymous users hold.
    init(_ rates: Configuration.Rates, isAnonymous: Bool) {
        func limiter(_ rate: Int) -> RateLimiter? { rate > 0 ? RateLimiter(rate: rate) : nil }
        // One limiter for both directions: they share what the session has.
        let session = limiter(isAnonymous ? rates.anonymous : rates.local)
        readLimiters = [session, limiter(rates.upload)].compactMap(\.self)
        writeLimiters = [session, limiter(rates.download)].compactMap(\.self)
        maximumPieceByteCount = rates.pieceByteCount
        sharedRates = [rates.user, rates.server].filter { $0 > 0 }
    }

    private var isLimited: Bool {
        !readLimiters.isEmpty || !writeLimiters.isEmpty || !sharedRates.isEmpty
    }

    /// What holds one transfer down; `nil` where nothing does.
    func makeThrottle() -> TransferThrottle? {
        guard isLimited else { return nil }
        return TransferThrottle(
            readLimiters: readLimiters,
            writeLimiters: writeLimiters,
            sharedRates: sharedRates,
            maximumPieceByteCount: maximumPieceByteCount,
            debt: debt
        )
    }
}

/// What has been moved faster than allowed.
final class TransferDebt {
    /// When more may be moved.
    var next = Deadline.passed

    /// Bytes that the shared rates have yet to be charged with.
    var uncharged = 0
}
