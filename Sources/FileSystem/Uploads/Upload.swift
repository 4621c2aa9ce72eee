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

    /// The name that this upload made; `nil` when it writes to a file that was there before.
    private let slot: DirectorySlot?

    /// The name that a whole upload gets; `nil` when it has its name already.
    private let finalName: [UInt8]?

    /// Whether a file that has ``finalName`` gives way.
    private let replaces: Bool

    private var isOver = false

    /// Begins to answer for an upload to `file`, of which the Session gets a duplicate.
    init(
        _ file: consuming OwnedDescriptor,
        made slot: consuming DirectorySlot?,
        finalName: [UInt8]? = nil,
        replaces: Bool = true,
        _ rules: UploadRules
    ) {
        self.file = file
        self.slot = slot
        self.finalName = finalName
        self.replaces = replaces
        self.rules = rules
    }

    /// Makes the upload whole: on the disk if that is asked for, then under its name.
    ///
    /// - Throws: ``SystemError``; the upload has failed then, and ``discard()`` follows.
    func commit() throws(SystemError) {
        guard !isOver else { return }
        // A file without a name is lost as soon as it is closed: somebody deleted it meanwhile.
        guard try FileFacts.of(file).linkCount > 0 else {
            throw SystemError("fstat", .noSuchFileOrDirectory)
        }
        if rules.synchronizes { try file.synchronize() }
        if let finalName { try slot?.rename(to: finalName, replacing: replaces) }
        // From here on nothing is ours to remove.
        isOver = true
        defer { file.unlock() }
        if rules.synchronizes { try slot?.synchronize(beside: file) }
    }

    /// Ends an upload that failed: removes what this upload made, if that is asked for.
    ///
    /// An empty file is removed in any case: it is all that an upload leaves which never began.
    func discard() {
        guard !isOver else { return }
        isOver = true
        defer { file.unlock() }
        guard let facts = try? FileFacts.of(file), rules.deletesFailed || facts.size == 0 else {
            return
        }
        // The name may be somebody else's by now.
        if slot?.belongs(to: facts) ?? false { try? slot?.remove() }
    }
}
