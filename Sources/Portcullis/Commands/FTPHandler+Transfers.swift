internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem

// RETR, STOR, APPE, STOU and ABOR.

extension FTPHandler {
    final func retrieve(_ argument: [UInt8]) throws(SessionEnd) {
        let part = takeNextPart()
        let offset = part?.start ?? 0
        guard let path = try path(argument), try mayTransfer(), let login else { return }
        guard type == .image || part == nil else {
            try reply(550, "No support for resume of ASCII transfer.")
            return
        }
        let source: any TransferSource
        let end: Int64
        do throws(FileError) {
            let opened = try login.fileSystem.openForReading(path)
            let size = opened.facts.size
            guard let found = part.map({ $0.end(in: size) }) ?? size else { throw .beyondEnd }
            end = found
            let file = opened.takeDescriptor()
            if part?.count != nil {
                source = try FilePart(file, from: offset, count: end - offset)
            } else {
                if offset > 0 { try seek(file, to: offset) }
                source = FileSource(file, byteCount: end - offset)
            }
        } catch {
            try refuse(error, error == .beyondEnd ? 554 : 550, "RETR \(path.quoted)")
            record("RETR", path, isDone: false)
            return
        }
        audit { $0.offset = UInt64(clamping: offset) }
        let hash = beginContentHash(isWhole: part == nil)
        let content = hash.map { HashedSource(source, $0) as any TransferSource } ?? source
        let converts = type == .ascii && configuration.files.convertsDownloads
        let opening: ReplyText =
            type == .ascii
            ? "Opening ASCII mode data connection for \(path: path)."
            : "Opening BINARY mode data connection for \(path: path) (\(end - offset) bytes)."
        try transfer(
            "RETR",
            path,
            byteCount: converts || mode != .stream ? nil : end - offset,
            opening: opening,
            done: "Transfer complete.",
            move: { handler throws(TransferFailure) in
                try handler.send(converts ? NetworkLineSource(content) : content)
            }
        )
    }

    final func store(_ argument: [UInt8], appending: Bool) throws(SessionEnd) {
        let part = takeNextPart()
        guard let path = try path(argument) else { return }
        guard type == .image || part == nil else {
            try reply(550, "No support for resume of ASCII transfer.")
            return
        }
        guard !appending || part?.count == nil else {
            try reply(503, "RANG does not go with APPE.")
            return
        }
        let resumes = part.map { WriteDisposition.resume(offset: $0.start) }
        let disposition = appending ? .append : resumes ?? .replace
        try upload(appending ? "APPE" : "STOR", path, disposition, atMost: part?.count)
    }

    final func storeUnique(_ argument: [UInt8]) throws(SessionEnd) {
        _ = takeNextPart()
        let name = argument.isEmpty ? Array("ftp.\(randomWord(count: 8))".utf8) : argument
        guard let path = try path(name) else { return }
        try upload("STOU", path, .unique)
    }

    private func upload(
        _ verb: String,
        _ path: VirtualPath,
        _ disposition: WriteDisposition,
        atMost byteCount: UInt64? = nil
    ) throws(SessionEnd) {
        guard try mayTransfer(), let login else { return }
        let file: UploadFile
        do throws(FileError) {
            let opened = try login.fileSystem.openForWriting(path, disposition)
            file = UploadFile(opened, in: login.fileSystem, empties: disposition == .replace)
        } catch {
            let code: UInt16 = error == .beyondEnd ? 554 : error == .notPermitted ? 550 : 553
            try refuse(error, code, "\(verb) \(path.quoted)")
            record(verb, path, isDone: false)
            return
        }
        let converts = type == .ascii && configuration.files.convertsUploads
        let isUnique = disposition == .unique
        if case .resume(let offset) = disposition { audit { $0.offset = UInt64(clamping: offset) } }
        let hash = beginContentHash(isWhole: disposition == .replace || isUnique)
        // RFC 1123 section 4.1.2.9: the name is told in just this form.
        let opening: ReplyText = isUnique ? "FILE: \(path: file.path)" : "Ok to send data."
        try transfer(
            verb,
            file.path,
            opening: opening,
            done: isUnique ? "Transfer complete; FILE: \(path: file.path)" : "Transfer complete.",
            failed: { login.fileSystem.discardUpload() },
            move: { handler throws(TransferFailure) in
                let whole = try file.open()
                let content = hash.map { HashedSink(whole, $0) as any TransferSink } ?? whole
                let sink = byteCount.map { BoundedSink(content, atMost: $0) } ?? content
                try handler.receive(into: converts ? HostLineSink(sink) : sink)
            }
        )
    }

    /// ABOR while nothing runs (RFC 959 section 4.1.3).
    final func abortNothing() throws(SessionEnd) {
        dataSource = nil
        activeTarget = nil
        try reply(225, "No transfer to ABOR.")
    }
}

private func seek(
    _ file: borrowing OwnedDescriptor,
    to offset: Int64
) throws(FileError) {
    do throws(SystemError) {
        try file.seek(to: offset)
    } catch {
        throw FileError(error)
    }
}

/// A file that was opened for an upload that has not begun.
///
/// An old file of that name keeps its content until the data connection stands: a client that
/// cannot connect must not lose it.
final class UploadFile {
    let path: VirtualPath
    private let fileSystem: any FileSystem
    private var file: OwnedDescriptor?
    private let empties: Bool
    private let isMetered: Bool

    init(_ opened: consuming OpenedFile, in fileSystem: any FileSystem, empties: Bool) {
        path = opened.path
        isMetered = opened.isMetered
        self.fileSystem = fileSystem
        self.empties = empties && !opened.isNew
        file = opened.takeDescriptor()
    }

    /// Gives the file to the upload, emptied if it is to be replaced.
    func open() throws(TransferFailure) -> UploadSink {
        guard let file = file.take() else { throw .file(.inputOutput) }
        if empties {
            do throws(FileError) {
                try fileSystem.emptyUpload()
            } catch {
                throw .file(error)
            }
        }
        return UploadSink(file, in: fileSystem, isMetered: isMetered)
    }
}
