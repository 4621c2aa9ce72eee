package import FTPProtocol
internal import Glibc
internal import LinuxSystem
internal import SystemPackage

// How a file is opened for an upload, and how the upload ends.

extension Jail {
    package func openForWriting(
        _ path: VirtualPath,
        _ disposition: WriteDisposition
    ) throws(FileError) -> OpenedFile {
        // A session has one upload at a time; a second one tells that the first came to nothing.
        discardUpload()
        // Before a new file could be counted as one that was there.
        _ = countedLedger()
        let file = try open(path, disposition)
        do throws(FileError) {
            try upload?.begin()
        } catch {
            discardUpload()
            throw error
        }
        return file
    }

    private func open(
        _ path: VirtualPath,
        _ disposition: WriteDisposition
    ) throws(FileError) -> OpenedFile {
        switch disposition {
        case .unique: return try openUnique(path)
        case .create:
            return try reduced { () throws(SystemError) in try openNew(named: path) }
        case .replace where uploads.isAtomic:
            return try reduced { () throws(SystemError) in try openPart(of: path) }
        // What goes into an old file has to be written in place.
        case .replace, .append, .resume: return try openInPlace(path, disposition)
        }
    }

    package func emptyUpload() throws(FileError) {
        guard let upload else { throw .impossible }
        try upload.empty()
    }

    package func commitUpload() throws(FileError) {
        guard let upload else { throw .impossible }
        try upload.commit()
        self.upload = nil
        if let handOver { try upload.lendNewFile(to: handOver) }
    }

    package func discardUpload() {
        upload?.discard()
        upload = nil
    }

    private func meter(from start: Int64, replacing byteCount: Int64) -> UploadMeter {
        UploadMeter(
            uploads.limits,
            countedLedger(),
            journal: journal,
            start: start,
            replacing: byteCount
        )
    }

    // MARK: In place

    private func openInPlace(
        _ path: VirtualPath,
        _ disposition: WriteDisposition
    ) throws(FileError) -> OpenedFile {
        let flags = disposition == .append ? O_WRONLY | O_APPEND : O_WRONLY
        // Nothing lies before an offset in a file that is not there.
        var creates = true
        if case .resume(let offset) = disposition, offset > 0 { creates = false }
        do throws(SystemError) {
            // Not O_TRUNC: the content goes when the new one is about to come.
            var opened = try openOrCreate(path, flags, creates: creates)
            let facts = try FileFacts.of(opened.file)
            var start = disposition == .append ? facts.size : 0
            if case .resume(let offset) = disposition {
                start = offset
                guard offset <= facts.size else { throw SystemError("lseek", .invalidArgument) }
                try opened.file.seek(to: offset)
            }
            let isNew = opened.slot != nil
            let place = opened.slot?.place ?? path.parent
            let name = opened.slot?.name ?? path.lastComponent ?? []
            var replaced: DirectorySlot?
            if disposition == .replace, !isNew, uploads.deletesFailed {
                // Wanted for tidying up alone; what has no such name stays.
                replaced = try? destination(of: path)
            }
            upload = Upload(
                try opened.file.duplicate(),
                made: opened.slot.take(),
                replacing: replaced,
                replacesContent: disposition == .replace,
                oldSize: facts.size,
                isNew: isNew,
                uploads,
                meter(from: start, replacing: facts.size)
            )
            journal?.begin(isNew ? .new : .old, in: place, name, facts)
            return OpenedFile(
                descriptor: opened.takeFile(),
                facts: facts,
                path: path,
                isNew: isNew,
                isMetered: uploads.limits.areMetered
            )
        } catch {
            if case .resume = disposition,
                error.call == "lseek" || error.errno == .noSuchFileOrDirectory
            {
                throw .beyondEnd
            }
            throw FileError(error)
        }
    }

    /// Opens a file, and makes it when it is not there, for this upload alone.
    ///
    /// - Throws: ``SystemError``; `EBUSY` when it is being transferred already.
    private func openOrCreate(
        _ path: VirtualPath,
        _ flags: CInt,
        creates: Bool
    ) throws(SystemError) -> OpenedInPlace {
        for _ in 0..<8 {
            do throws(SystemError) {
                let file = try root.open(path, flags: flags)
                let facts = try FileFacts.of(file)
                guard facts.kind == .regular else {
                    throw SystemError("openat2", .noSuchAddressOrDevice)
                }
                try lockForWriting(file)
                // Whoever had the lock before may have removed the file or put another in its
                // place: what is written to this one would be lost.
                let named = try FileFacts.of(root.locate(path))
                guard named.device == facts.device, named.inode == facts.inode else { continue }
                return OpenedInPlace(file: file, slot: nil)
            } catch {
                guard creates, error.errno == .noSuchFileOrDirectory else { throw error }
            }
            var slot = try DirectorySlot(path, in: root)
            if try slot.status()?.kind == .symbolicLink {
                // A link that leads to nothing yet: the file is made where it leads.
                slot = try DirectorySlot(walk(path, followsLastLink: true).path, in: root)
            }
            do throws(SystemError) {
                let file = try slot.createFile(flags: flags, mode: newFileMode)
                try lockForWriting(file)
                return OpenedInPlace(file: file, slot: slot)
            } catch {
                // Somebody else was faster.
                guard error.errno == .fileExists else { throw error }
            }
        }
        throw SystemError("flock", .resourceBusy)
    }

    private func lockForWriting(_ file: borrowing OwnedDescriptor) throws(SystemError) {
        guard try file.lock(isExclusive: true) else { throw SystemError("flock", .resourceBusy) }
    }

    // MARK: Under a hidden name

    /// Opens a part that replaces what `path` names once it is whole.
    ///
    /// The file at `path` is neither opened nor changed until then.
    private func openPart(of path: VirtualPath) throws(SystemError) -> OpenedFile {
        let slot = try destination(of: path)
        let old = try slot.status()
        if let old {
            if old.kind == .directory { throw SystemError("openat2", .isDirectory) }
            guard old.kind == .regular else {
                throw SystemError("openat2", .noSuchAddressOrDevice)
            }
            // Whoever may not write to the old file may not replace it either.
            try slot.checkWritable()
        }
        return try makePart(of: path, in: slot, replacing: old)
    }

    /// Makes the part of an upload that will be called `path`, in the directory of `slot`.
    private func makePart(
        of path: VirtualPath,
        in slot: borrowing DirectorySlot,
        replacing old: FileFacts?,
        mustBeNew: Bool = false
    ) throws(SystemError) -> OpenedFile {
        let part = DirectorySlot(try slot.directory.duplicate(), PartName.make(for: slot.name))
        // Before the meter can tell the journal that nothing is left.
        let meter = meter(from: 0, replacing: old?.size ?? 0)
        if let place = slot.place { journal?.begin(.part, in: place, part.name) }
        var isMade = false
        defer { if !isMade { journal?.end() } }
        let file = try part.createFile(flags: O_WRONLY, mode: newFileMode)
        try lockForWriting(file)
        let facts = try FileFacts.of(file)
        isMade = true
        upload = Upload(
            try file.duplicate(),
            made: part,
            isNew: old == nil,
            finalName: slot.name,
            replaces: !mustBeNew,
            uploads,
            meter
        )
        return OpenedFile(
            descriptor: file,
            facts: facts,
            path: path,
            isNew: old == nil,
            isMetered: uploads.limits.areMetered
        )
    }

    /// The name that `path` leads to, symbolic links at its end followed.
    ///
    /// - Throws: ``SystemError``; `ENOENT` when a link leads to nothing, `ELOOP` when it is not
    ///   plain where it leads.
    func destination(of path: VirtualPath) throws(SystemError) -> DirectorySlot {
        var target = path
        for _ in 0..<40 {
            let slot = try DirectorySlot(target, in: root)
            guard let found = try slot.status(), found.kind == .symbolicLink else {
                guard target != path else { return slot }
                // Folding `..` as text may have led astray; the kernel knows what is meant.
                guard try slot.belongs(to: FileFacts.of(root.locate(path))) else {
                    throw SystemError("openat2", .tooManySymbolicLinkLevels)
                }
                return slot
            }
            guard let link = slot.linkTarget(), let next = try? target.parent.resolving(link)
            else {
                throw SystemError("readlinkat", .tooManySymbolicLinkLevels)
            }
            target = next
        }
        throw SystemError("openat2", .tooManySymbolicLinkLevels)
    }

    // MARK: Under a name that nobody has

    /// Opens a file that did not exist: the path itself, then with a random suffix.
    private func openUnique(_ path: VirtualPath) throws(FileError) -> OpenedFile {
        // A name that stays free until an atomic upload is whole has to be one of its own.
        var candidate = uploads.isAtomic ? try path.madeUnique() : path
        for _ in 0..<16 {
            do throws(SystemError) {
                return try openNew(named: candidate)
            } catch {
                guard error.errno == .fileExists else { throw FileError(error) }
            }
            candidate = try path.madeUnique()
        }
        throw .exists
    }

    /// Opens a file that did not exist.
    ///
    /// - Throws: ``SystemError``; `EEXIST` when something has the name.
    private func openNew(named path: VirtualPath) throws(SystemError) -> OpenedFile {
        let slot = try DirectorySlot(path, in: root)
        if uploads.isAtomic {
            guard try slot.status() == nil else { throw SystemError("openat2", .fileExists) }
            return try makePart(of: path, in: slot, replacing: nil, mustBeNew: true)
        }
        let file = try slot.createFile(flags: O_WRONLY, mode: newFileMode)
        try lockForWriting(file)
        let facts = try FileFacts.of(file)
        let name = slot.name
        upload = Upload(
            try file.duplicate(),
            made: slot,
            isNew: true,
            uploads,
            meter(from: 0, replacing: 0)
        )
        journal?.begin(.new, in: path.parent, name, facts)
        return OpenedFile(
            descriptor: file,
            facts: facts,
            path: path,
            isNew: true,
            isMetered: uploads.limits.areMetered
        )
    }
}

/// A file that was opened in place, and the name that was made for it.
private struct OpenedInPlace: ~Copyable {
    let file: OwnedDescriptor
    /// `nil` when the file was there before.
    var slot: DirectorySlot?

    consuming func takeFile() -> OwnedDescriptor { file }
}
