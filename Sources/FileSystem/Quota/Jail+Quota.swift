internal import FTPProtocol
internal import Glibc
internal import LinuxSystem
internal import SystemPackage

// What the user has stored, and how it changes.

extension Jail {
    /// Entries that are counted; a tree of more counts as full.
    private static let maximumEntryCount = 5_000_000

    /// Directories that wait to be counted.
    private static let maximumWaitingCount = 200_000

    package func storageReport() throws(FileError) -> StorageReport {
        guard let ledger = countedLedger() else {
            return StorageReport(limits: uploads.limits, usedBytes: 0, usedFiles: 0)
        }
        let usage = ledger.usage
        return StorageReport(
            limits: uploads.limits,
            usedBytes: usage.bytes,
            usedFiles: usage.files
        )
    }

    package func extendUpload(by byteCount: Int64) throws(FileError) -> Int64 {
        guard let upload else { throw .impossible }
        return try upload.extend(by: byteCount)
    }

    /// The ledger, its numbers known; `nil` without a quota.
    func countedLedger() -> QuotaLedger? {
        guard uploads.limits.hasQuota, let ledger else { return nil }
        ledger.ensureCounted(countTree)
        return ledger
    }

    /// Counts what a change of names has removed.
    func noteRemoval(of facts: FileFacts?) {
        guard let facts, facts.kind == .regular else { return }
        ledger?.adjust(bytes: -facts.size, files: -1)
    }

    /// What has a name that is about to go, if anybody counts.
    func countedFacts(of path: VirtualPath) -> FileFacts? {
        guard uploads.limits.hasQuota, ledger != nil,
            let slot = try? DirectorySlot(path, in: root), let facts = try? slot.status()
        else { return nil }
        return facts
    }

    /// Counts regular files below the root by their sizes; symbolic links are not followed.
    ///
    /// Every name counts, so a file with two names counts twice. What the user may not list is not
    /// counted: it is not the user's to fill.
    private func countTree() -> (bytes: Int64, files: Int64) {
        var total: (bytes: Int64, files: Int64) = (0, 0)
        var entryCount = 0
        var waiting = [VirtualPath.root]
        while let path = waiting.popLast() {
            guard
                let listing = try? JailListing(
                    of: path,
                    in: root,
                    ListingQuery(path.isRoot ? .hidden : [.hidden, .refusesLink]),
                    showsParts: true
                ), listing.facts.kind == .directory
            else { continue }
            while let entries = try? listing.next(in: root), !entries.isEmpty {
                entryCount += entries.count
                for entry in entries {
                    switch entry.facts.kind {
                    case .regular:
                        total.files += 1
                        total.bytes = min(QuotaLedger.maximum, total.bytes)
                        total.bytes += min(QuotaLedger.maximum, max(0, entry.facts.size))
                    case .directory:
                        if let next = path.appending(component: entry.name) {
                            waiting.append(next)
                        }
                    default: break
                    }
                }
                guard entryCount <= Self.maximumEntryCount,
                    waiting.count <= Self.maximumWaitingCount
                else {
                    return (QuotaLedger.maximum, QuotaLedger.maximum)
                }
            }
        }
        return (min(QuotaLedger.maximum, total.bytes), total.files)
    }
}
