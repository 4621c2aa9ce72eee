internal import FTPProtocol
internal import LinuxSystem

// How an upload ends whose process was killed.

extension Jail {
    /// Ends the upload that another process has begun, as that one would have ended a failed one.
    package func endUpload(leftIn journal: UploadJournal) {
        if journal.wasCounting { ledger?.giveUpCounting() }
        guard let left = journal.left else { return }
        let (bytes, files) = outcome(of: left)
        ledger?.adjust(
            bytes: bytes.subtractingReportingOverflow(left.promised.bytes).partialValue,
            files: files.subtractingReportingOverflow(left.promised.files).partialValue
        )
        journal.end()
    }

    /// Removes what has to go; the bytes and files by which what the user has stored has changed.
    private func outcome(of left: LeftUpload) -> (bytes: Int64, files: Int64) {
        guard let directory = try? root.directory(left.directory) else { return (0, 0) }
        let slot = DirectorySlot(directory, left.name)
        switch left.kind {
        case .part:
            // It may have got its name in the last moment.
            guard let facts = (try? slot.status()) ?? nil else { return left.committed }
            return (try? slot.remove()) != nil ? (0, 0) : (facts.size, 1)
        case .new:
            // Whoever removed it has counted it away.
            guard let facts = (try? slot.status()) ?? nil, left.isFile(facts) else { return (0, 0) }
            let goes = uploads.deletesFailed || facts.size == 0
            return goes && (try? slot.remove()) != nil ? (0, 0) : (facts.size, 1)
        case .old:
            guard let path = left.directory.appending(component: left.name),
                let facts = try? FileFacts.of(root.locate(path)), left.isFile(facts)
            else { return (0, 0) }
            if uploads.deletesFailed, left.hasEmptied, facts.linkCount == 1,
                removeDestination(of: path, facts)
            {
                return (-left.oldSize, -1)
            }
            return (facts.size - left.oldSize, 0)
        }
    }

    private func removeDestination(of path: VirtualPath, _ facts: FileFacts) -> Bool {
        guard let slot = try? destination(of: path), slot.belongs(to: facts) else { return false }
        return (try? slot.remove()) != nil
    }
}
