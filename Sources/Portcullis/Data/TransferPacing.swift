internal import LinuxSystem

/// The rates that hold for all transfers of a login.
final class TransferPacing {
    private let readLimiters: [RateLimiter]
    private let writeLimiters: [RateLimiter]
    private let maximumPieceByteCount: Int
    private let serverRate: Int

    /// What transfers have moved and not waited for, which a transfer that is broken off leaves to
    /// the next one.
    private let debt = TransferDebt()

    /// Takes the rates that `rates` names for this login.
    ///
    /// - Parameters:
    ///   - rates: What the configuration says.
    ///   - isAnonymous: Whether the rates of anonymous users hold.
    ///   - user: What all sessions of the user have together.
    init(_ rates: Configuration.Rates, isAnonymous: Bool, user: RateLimiter?) {
        func limiter(_ rate: Int) -> RateLimiter? { rate > 0 ? RateLimiter(rate: rate) : nil }
        // One limiter for both directions: they share what the session has.
        let session = limiter(isAnonymous ? rates.anonymous : rates.local)
        readLimiters = [session, limiter(rates.upload), user].compactMap(\.self)
        writeLimiters = [session, limiter(rates.download), user].compactMap(\.self)
        maximumPieceByteCount = rates.pieceByteCount
        serverRate = rates.server
    }

    /// Whether anything is limited.
    var isLimited: Bool {
        !readLimiters.isEmpty || !writeLimiters.isEmpty || serverRate > 0
    }

    /// Hands the limits to the handler of one transfer.
    func apply(to handler: ThrottledDTPHandler) {
        handler.readLimiters = readLimiters
        handler.writeLimiters = writeLimiters
        handler.maximumPieceByteCount = maximumPieceByteCount
        handler.serverRate = serverRate
        handler.debt = debt
    }
}

/// What has been moved faster than allowed.
final class TransferDebt {
    /// When more may be moved.
    var next = Deadline.passed

    /// Bytes that the server's rate has yet to be charged with.
    var uncharged = 0
}
