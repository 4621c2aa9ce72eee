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
        ledger.ensureCounted {
            journal?.beginCounting()
            defer { journal?.endCounting() }
            return countTree()
        }
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
    /// Every name counts, so a file with two names counts twice. What others keep the user from
    /// listing is not counted: it is not the user's to fill. A tree in which the user's own
    /// directories cannot be counted counts as full: the user can change their modes and places. So
    /// does one on a disk that fails.
    private func countTree() -> (bytes: Int64, files: Int64) {
        let full = (bytes: QuotaLedger.maximum, files: QuotaLedger.maximum)
        var total: (bytes: Int64, files: Int64) = (0, 0)
        var entryCount = 0
        guard let facts = try? FileFacts.of(root.descriptor), !isShut(facts) else { return full }
        var waiting = [(path: VirtualPath.root, isOwn: facts.owner == owner)]
        while let (path, isOwn) = waiting.popLast() {
            let listing: JailListing
            do throws(SystemError) {
                listing = try JailListing(
                    of: path,
                    in: root,
                    ListingQuery(path.isRoot ? .hidden : [.hidden, .refusesLink]),
                    showsParts: true
                )
            } catch {
                guard isOwn, !isGone(error) else { continue }
                return full
            }
            guard listing.facts.kind == .directory else { continue }
            while true {
                let entries: EntryPiece
                do throws(SystemError) {
                    entries = try listing.next(in: root)
                } catch {
                    guard isOwn, !isGone(error) else { break }
                    return full
                }
                if entries.isEmpty { break }
                entryCount += entries.count
                for entry in entries {
                    switch entry.facts.kind {
                    case .regular:
                        total.files += 1
                        total.bytes = min(QuotaLedger.maximum, total.bytes)
                        total.bytes += min(QuotaLedger.maximum, max(0, entry.facts.size))
                    case .directory:
                        let isOwn = entry.facts.owner == owner
                        if let next = path.appending(component: Array(entry.name)),
                            !isShut(entry.facts)
                        {
                            waiting.append((next, isOwn))
                        } else if isOwn {
                            return full
                        }
                    default: break
                    }
                }
                guard entryCount <= Self.maximumEntryCount,
                    waiting.count <= Self.maximumWaitingCount
                else {
                    return full
                }
            }
        }
        return (min(QuotaLedger.maximum, total.bytes), total.files)
    }

    /// Whether a directory is gone since its name was read, or something else has the name now.
    private func isGone(_ error: SystemError) -> Bool {
        [.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels].contains(error.errno)
    }

    /// Whether the user has taken from a directory of its own what counting its files takes.
    private func isShut(_ directory: FileFacts) -> Bool {
        directory.owner == owner && owner != 0 && directory.mode & 0o500 != 0o500
    }
}
