internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem
internal import Logging

// CPFR and CPTO, also behind SITE: a copy that does not travel to the client and back.
//
// The Session copies through the descriptors that the Agent hands it for a download and an upload.
// So the letters, limits and locks are those of RETR and STOR, and no right exists for it alone.

extension FTPHandler {
    final func copyFrom(_ argument: [UInt8]) throws(SessionEnd) {
        guard let path = try path(argument) else { return }
        let opened: Void? = try attempt(550, "CPFR \(path.quoted)") {
            fileSystem throws(FileError) in
            _ = try fileSystem.openForReading(path)
        }
        guard opened != nil else { return }
        copySource = path
        try reply(350, "Ready for CPTO.")
    }

    final func copyTo(_ argument: [UInt8]) throws(SessionEnd) {
        guard let origin = copySource.take() else {
            try reply(503, "CPFR required first.")
            return
        }
        guard let path = try path(argument), let login else { return }
        audit { action in (action.path, action.target) = (origin, path) }
        guard path != origin else {
            try refuse(.impossible, 553, "CPTO \(path.quoted)")
            return
        }
        let source: FilePart
        let target: UploadFile
        do throws(FileError) {
            let opened = try login.fileSystem.openForReading(origin)
            let facts = opened.facts
            source = try FilePart(opened.takeDescriptor(), from: 0, count: facts.size)
            let created = try login.fileSystem.openForWriting(path, .replace)
            // Emptying the file that is to be copied would lose it.
            guard created.facts.device != facts.device || created.facts.inode != facts.inode else {
                throw .impossible
            }
            target = UploadFile(created, in: login.fileSystem, empties: true)
        } catch {
            login.fileSystem.discardUpload()
            let code: UInt16 = error == .notFound || error == .notPermitted ? 550 : 553
            try refuse(error, code, "CPTO \(path.quoted)")
            return
        }
        let outcome = try copy(source, into: target)
        if case .done = outcome {
            logAction("CPTO \(origin.quoted) -> \(path.quoted)")
            try reply(250, "Copy successful.")
        } else {
            login.fileSystem.discardUpload()
            if case .failed(let error) = outcome {
                try refuse(error, error == .tooLarge ? 552 : 451, "CPTO \(path.quoted)")
            } else {
                try replyAborted()
            }
        }
    }

    private func copy(
        _ source: FilePart,
        into target: UploadFile
    ) throws(SessionEnd) -> WorkOutcome {
        let sink: UploadSink
        do throws(TransferFailure) {
            sink = try target.open()
        } catch {
            guard case .file(let error) = error else { return .failed(.inputOutput) }
            return .failed(error)
        }
        let buffer = buffer
        return try work("CPTO", target.path) { () throws(FileError) in
            try unsafe buffer.withBytes { memory throws(FileError) in
                let count = try unsafe source.next(into: memory)
                if count == 0 {
                    guard source.isComplete else { throw .inputOutput }
                    try sink.finish()
                } else {
                    try unsafe sink.put(UnsafeRawBufferPointer(rebasing: memory[..<count]))
                }
                return count
            }
        }
    }
}
