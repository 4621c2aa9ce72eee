internal import Isolation
internal import LinuxSystem

/// Holds one transfer down to some rates, in clear or over TLS.
///
/// While it waits, the control connection is served as in any other wait. The pieces are small
/// when the rate is low, so that it holds over any second and not only on average.
final class TransferThrottle {
    /// A piece is what the lowest rate allows in this part of a second.
    private static let piecesPerSecond = 20

    /// The smallest piece; each costs a TLS record.
    private static let minimumPieceByteCount = 512

    /// What limits uploads.
    let readLimiters: [RateLimiter]

    /// What limits downloads and listings.
    let writeLimiters: [RateLimiter]

    /// What earlier transfers of the login have left to be waited for.
    let debt: TransferDebt

    /// What all transfers of the user, and of the server, may move together.
    let sharedRates: [Int]

    /// The most bytes in one piece (`trans_chunk_size`); 0 leaves the choice to the rate.
    let maximumPieceByteCount: Int

    /// Charges bytes to the shared rates: when more may be moved, and whether these are
    /// charged by now.
    var chargeShared: ((Int) throws(TransferFailure) -> (next: Deadline, isCharged: Bool))?

    /// Whether pieces get smaller as the rate gets lower.
    var autoSizesBuffers = true

    init(
        readLimiters: [RateLimiter],
        writeLimiters: [RateLimiter],
        sharedRates: [Int],
        maximumPieceByteCount: Int,
        debt: TransferDebt
    ) {
        self.readLimiters = readLimiters
        self.writeLimiters = writeLimiters
        self.sharedRates = sharedRates
        self.maximumPieceByteCount = maximumPieceByteCount
        self.debt = debt
    }

    private func limiters(isReceiving: Bool) -> [RateLimiter] {
        isReceiving ? readLimiters : writeLimiters
    }

    /// The most bytes that are moved in one go, of `maximum`.
    func pieceByteCount(isReceiving: Bool, of maximum: Int) -> Int {
        let rates = limiters(isReceiving: isReceiving).map(\.rate) + sharedRates
        guard let rate = rates.min() else { return maximum }
        guard autoSizesBuffers else { return min(maximum, 65_536) }
        let piece = max(Self.minimumPieceByteCount, rate / Self.piecesPerSecond)
        let limit = maximumPieceByteCount > 0 ? maximumPieceByteCount : piece
        return min(maximum, piece, limit)
    }

    /// Charges bytes that were moved; ``settle(_:)`` waits for them.
    func charge(_ count: Int, isReceiving: Bool) {
        for limiter in limiters(isReceiving: isReceiving) {
            debt.next = max(debt.next, limiter.charge(count))
        }
        if !sharedRates.isEmpty { debt.uncharged += count }
    }

    /// Waits for what was moved; by ABOR it becomes the next transfer's.
    func settle(_ pause: (Deadline) throws(TransferFailure) -> Void) throws(TransferFailure) {
        while debt.uncharged > 0, let chargeShared {
            let count = min(debt.uncharged, SharedRates.pieceByteCount(sharedRates))
            let charge = try chargeShared(count)
            if charge.isCharged { debt.uncharged -= count }
            debt.next = max(debt.next, charge.next)
            if debt.uncharged > 0 { try pause(charge.next) }
        }
        try pause(debt.next)
    }
}
