internal import FTPProtocol
internal import LinuxSystem
internal import SystemPackage

/// An upload from the opening of its file to its end.
///
/// Kept by the process that opens files: whatever becomes of the Session in between, the upload
/// ends either whole under its name or as one that failed.
final class Upload {
    private let file: OwnedDescriptor
    private let rules: UploadRules
    private let meter: UploadMeter

    /// The size of the file when it was opened.
    private let oldSize: Int64

    /// The name that this upload made; `nil` when it writes to a file that was there before.
    private let slot: DirectorySlot?

    /// The name of a file that was there before and whose content goes when the upload begins.
    private let replaced: DirectorySlot?

    /// Whether the old content gives way to the new, and is not added to.
    private let replacesContent: Bool

    /// Whether the old content is gone.
    private var hasEmptied = false

    /// The name that a whole upload gets; `nil` when it has its name already.
    private let finalName: [UInt8]?

    /// Whether a file that has ``finalName`` gives way.
    private let replaces: Bool

    /// Whether nothing had the name before.
    private let isNew: Bool

    private var isOver = false

    /// Begins to answer for an upload to `file`, of which the Session gets a duplicate.
    init(
        _ file: consuming OwnedDescriptor,
        made slot: consuming DirectorySlot?,
        replacing replaced: consuming DirectorySlot? = nil,
        replacesContent: Bool = false,
        oldSize: Int64 = 0,
        isNew: Bool,
        finalName: [UInt8]? = nil,
        replaces: Bool = true,
        _ rules: UploadRules,
        _ meter: UploadMeter
    ) {
        self.file = file
        self.slot = slot
        self.replaced = replaced
        self.replacesContent = replacesContent
        self.oldSize = oldSize
        self.isNew = isNew
        self.finalName = finalName
        self.replaces = replaces
        self.rules = rules
        self.meter = meter
    }

    /// Checks the limits before the first byte.
    ///
    /// - Throws: ``FileError``; the upload has failed then, and ``discard()`` follows.
    func begin() throws(FileError) {
        try meter.begin(file, isNew: isNew)
    }

    /// Empties the old file that is to be replaced, once.
    func empty() throws(FileError) {
        // A part is empty, and the old file stays until it is whole.
        guard finalName == nil else { return }
        guard replacesContent, !hasEmptied else { throw .impossible }
        meter.noteEmptying()
        try reduced { () throws(SystemError) in try file.truncate() }
        hasEmptied = true
    }

    /// Allows the Session to write more.
    func extend(by byteCount: Int64) throws(FileError) -> Int64 {
        try meter.extend(by: byteCount, for: file)
    }

    /// Makes the upload whole: on the disk if that is asked for, then under its name.
    ///
    /// - Throws: ``FileError``; the upload has failed then, and ``discard()`` follows.
    func commit() throws(FileError) {
        guard !isOver else { return }
        let facts = try reduced { () throws(SystemError) in try FileFacts.of(file) }
        // A file without a name is lost as soon as it is closed: somebody deleted it meanwhile.
        guard facts.linkCount > 0 else { throw .notFound }
        try meter.check(size: facts.size, before: oldSize)
        if finalName != nil {
            let old = try reduced { () throws(SystemError) in try fileThatGivesWay() }
            try meter.claim(size: facts.size, replacing: old)
            meter.noteCommitting(size: facts.size, replacing: old)
        }
        try reduced { () throws(SystemError) in try finish(facts) }
    }

    /// What has the final name now, if that is a file that is counted.
    private func fileThatGivesWay() throws(SystemError) -> FileFacts? {
        guard let finalName else { return nil }
        let found = try slot?.status(of: finalName) ?? nil
        return found?.kind == .regular ? found : nil
    }

    private func finish(_ facts: FileFacts) throws(SystemError) {
        if rules.synchronizes { try file.synchronize() }
        var replaced: FileFacts?
        if let finalName {
            replaced = try slot?.rename(to: finalName, replacing: replaces) ?? nil
            // A link that gives way was never counted.
            if replaced?.kind != .regular { replaced = nil }
        }
        // From here on nothing is ours to remove.
        isOver = true
        defer { file.unlock() }
        meter.settle(
            bytes: facts.size - (replaced?.size ?? oldSize),
            files: slot != nil && replaced == nil ? 1 : 0
        )
        if rules.synchronizes { try slot?.synchronize(beside: file) }
    }

    /// Lends the file that this upload made, if it made one.
    func lendNewFile(
        to body: (borrowing OwnedDescriptor) throws(FileError) -> Void
    ) throws(FileError) {
        if slot != nil { try body(file) }
    }

    /// Ends an upload that failed: removes what this upload made, if that is asked for.
    ///
    /// An empty file is removed in any case: it is all that an upload leaves which never began. So is
    /// the part of an atomic upload, which nobody but an administrator could ever see or remove. A
    /// file that was there before is removed only once its content is lost anyway.
    func discard() {
        guard !isOver else { return }
        isOver = true
        defer { file.unlock() }
        guard let facts = try? FileFacts.of(file) else {
            meter.settle(bytes: 0, files: 0)
            return
        }
        // The name may be somebody else's by now.
        let goes = rules.deletesFailed || finalName != nil || facts.size == 0
        // That of a part is nobody else's.
        if goes, finalName != nil || slot?.belongs(to: facts) ?? false,
            (try? slot?.remove()) != nil
        {
            meter.settle(bytes: 0, files: 0)
            return
        }
        // Under another name its bytes would still be there, and counted.
        if rules.deletesFailed, hasEmptied, facts.linkCount == 1,
            replaced?.belongs(to: facts) ?? false, (try? replaced?.remove()) != nil
        {
            meter.settle(bytes: -oldSize, files: -1)
            return
        }
        var growth = facts.size - oldSize
        // Who removed the name has counted the file away as it was then: at its old size, perhaps,
        // if that was before it was emptied.
        if facts.linkCount == 0 { growth = max(0, growth) }
        meter.settle(bytes: growth, files: slot == nil ? 0 : 1)
    }
}
