internal import Isolation
internal import LinuxSystem
internal import TLS

/// Moves the bytes of one transfer no faster than some rates, in clear or over TLS.
///
/// While it waits, the control connection is served as in any other wait. The pieces are small
/// when the rate is low, so that it holds over any second and not only on average.
final class ThrottledDTPHandler: TLS_DTPHandler {
    /// A piece is what the lowest rate allows in this part of a second.
    private static let piecesPerSecond = 20

    /// The smallest piece; each costs a TLS record.
    private static let minimumPieceByteCount = 512

    /// What limits uploads.
    var readLimiters: [RateLimiter] = []

    /// What limits downloads and listings.
    var writeLimiters: [RateLimiter] = []

    /// What earlier transfers of the login have left to be waited for.
    var debt = TransferDebt()

    /// What all transfers of the server may move together; 0 for any.
    var serverRate = 0

    /// Charges bytes to the rate of the whole server: when more may be moved, and whether these are
    /// charged by now.
    var chargeServer: ((Int) throws(TransferFailure) -> (next: Deadline, isCharged: Bool))?

    /// The most bytes in one piece (`trans_chunk_size`); 0 leaves the choice to the rate.
    var maximumPieceByteCount = 0

    private var limiters: [RateLimiter] { isReceiving ? readLimiters : writeLimiters }

    override var pieceByteCount: Int {
        let rates = limiters.map(\.rate) + (serverRate > 0 ? [serverRate] : [])
        guard let rate = rates.min() else { return super.pieceByteCount }
        let piece = max(Self.minimumPieceByteCount, rate / Self.piecesPerSecond)
        let limit = maximumPieceByteCount > 0 ? maximumPieceByteCount : piece
        return min(super.pieceByteCount, piece, limit)
    }

    override func willBegin() throws(TransferFailure) {
        try settle()
    }

    override func didMove(_ count: Int) throws(TransferFailure) {
        for limiter in limiters { debt.next = max(debt.next, limiter.charge(count)) }
        if serverRate > 0 { debt.uncharged += count }
        try settle()
    }

    /// Waits for what was moved; by ABOR it becomes the next transfer's.
    private func settle() throws(TransferFailure) {
        while debt.uncharged > 0, let chargeServer {
            let count = min(debt.uncharged, ServerRate.pieceByteCount(serverRate))
            let charge = try chargeServer(count)
            if charge.isCharged { debt.uncharged -= count }
            debt.next = max(debt.next, charge.next)
            if debt.uncharged > 0 { try pause(until: charge.next) }
        }
        try pause(until: debt.next)
    }

    // Without TLS there is no end that could be told from a cut.

    override var needsCleanEnd: Bool { stream.isTLS && super.needsCleanEnd }

    override func isComplete(isClean: Bool) -> Bool {
        !stream.isTLS || super.isComplete(isClean: isClean)
    }
}
