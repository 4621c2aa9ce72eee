internal import FTPProtocol
internal import Glibc
internal import LinuxSystem

/// What one upload may write, and has been promised so far.
///
/// The Session asks for bytes before it writes them, in pieces. It could write more than it was
/// given, so the file itself is looked at in the end.
final class UploadMeter {
    /// Bytes that are given at a time, where the limits allow.
    private static let pieceByteCount: Int64 = 16 << 20

    private let limits: StorageLimits
    private let ledger: QuotaLedger?
    private let journal: UploadJournal?

    /// Where the first byte goes.
    private let start: Int64

    /// Bytes that need not be asked for again: those of the file that gives way.
    private let replacedByteCount: Int64

    private var granted: Int64 = 0
    private var reserved: Int64 = 0 { didSet { notePromise() } }
    private var hasReservedFile = false { didSet { notePromise() } }

    /// Begins to count for an upload whose first byte goes to `start`.
    init(
        _ limits: StorageLimits,
        _ ledger: QuotaLedger?,
        journal: UploadJournal? = nil,
        start: Int64,
        replacing replacedByteCount: Int64
    ) {
        self.limits = limits
        self.ledger = ledger
        self.journal = journal
        self.start = start
        self.replacedByteCount = replacedByteCount
    }

    /// Checks before the first byte, and counts the file if there was none of its name.
    func begin(_ file: borrowing OwnedDescriptor, isNew: Bool) throws(FileError) {
        if limits.freeSpace > 0, Self.freeSpace(beside: file) < limits.freeSpace {
            throw .noSpace
        }
        guard isNew, let ledger else { return }
        let limit = limits.files > 0 ? limits.files : QuotaLedger.maximum
        guard ledger.reserveFile(limit: limit) else { throw .overFileQuota }
        hasReservedFile = true
    }

    /// Gives `wanted` bytes or more; less when a limit is near.
    ///
    /// - Throws: ``FileError`` when not one is left.
    func extend(
        by wanted: Int64,
        for file: borrowing OwnedDescriptor
    ) throws(FileError) -> Int64 {
        guard wanted > 0 else { throw .impossible }
        let end = start + granted
        var grant = min(max(wanted, Self.pieceByteCount), Int64.max - end)
        if limits.fileSize > 0 {
            guard end < limits.fileSize else { throw .tooLarge }
            grant = min(grant, limits.fileSize - end)
        }
        if limits.freeSpace > 0 {
            let free = Self.freeSpace(beside: file)
            guard free > limits.freeSpace else { throw .noSpace }
            grant = min(grant, free - limits.freeSpace)
        }
        if limits.bytes > 0, let ledger {
            let needed = max(0, end + grant - replacedByteCount) - reserved
            if needed > 0 {
                let got = ledger.reserve(bytes: needed, limit: limits.bytes)
                reserved += got
                grant -= needed - got
            }
        }
        guard grant > 0 else { throw .overQuota }
        granted += grant
        return grant
    }

    /// Checks that a file of `size` bytes is what was asked for.
    ///
    /// - Parameters:
    ///   - size: How large the file is now.
    ///   - before: How large it was when it was opened.
    /// - Throws: ``FileError`` when it has more bytes than were given.
    func check(size: Int64, before: Int64) throws(FileError) {
        guard limits.areMetered, size > max(before, start + granted) else { return }
        throw limits.fileSize > 0 && size > limits.fileSize ? .tooLarge : .overQuota
    }

    /// Asks for what is missing for a file of `size` bytes in the place of `old`, which need not be
    /// what was there when the upload began: others may have replaced it, moved it or taken it away.
    ///
    /// - Throws: ``FileError`` when it does not fit.
    func claim(size: Int64, replacing old: FileFacts?) throws(FileError) {
        guard let ledger else { return }
        if old == nil, !hasReservedFile {
            let limit = limits.files > 0 ? limits.files : QuotaLedger.maximum
            guard ledger.reserveFile(limit: limit) else { throw .overFileQuota }
            hasReservedFile = true
        }
        let missing = size - max(0, old?.size ?? 0) - reserved
        guard limits.bytes > 0, missing > 0 else { return }
        let got = ledger.reserve(bytes: missing, limit: limits.bytes)
        reserved += got
        guard got == missing else { throw .overQuota }
    }

    /// Gives back what was promised, and counts what has come of it instead.
    func settle(bytes: Int64, files: Int64) {
        ledger?.adjust(bytes: bytes - reserved, files: files - (hasReservedFile ? 1 : 0))
        reserved = 0
        hasReservedFile = false
        journal?.end()
    }

    /// Has the journal know that a part is about to get its name.
    func noteCommitting(size: Int64, replacing old: FileFacts?) {
        journal?.noteCommitting(bytes: size - (old?.size ?? 0), files: old == nil ? 1 : 0)
    }

    /// Has the journal know that the old content is about to go.
    func noteEmptying() { journal?.noteEmptying() }

    private func notePromise() {
        journal?.promise(bytes: reserved, files: hasReservedFile ? 1 : 0)
    }

    private static func freeSpace(beside file: borrowing OwnedDescriptor) -> Int64 {
        var status = statvfs()
        guard unsafe fstatvfs(file.number, &status) == 0 else { return 0 }
        let (count, overflowed) = UInt64(status.f_bavail)
            .multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return overflowed ? .max : Int64(clamping: count)
    }
}
