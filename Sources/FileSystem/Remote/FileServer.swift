internal import FTPProtocol
package import LinuxSystem
internal import SystemPackage

/// Answers a ``RemoteFileSystem`` at the other end of a channel.
package struct FileServer: ~Copyable {
    private let channel: MessageSocket
    private let fileSystem: any FileSystem

    /// Serves `fileSystem` over `channel`.
    package init(_ channel: consuming MessageSocket, serving fileSystem: any FileSystem) {
        self.channel = channel
        self.fileSystem = fileSystem
    }

    /// Answers requests until the other end is gone; an upload that then goes on has failed.
    ///
    /// - Throws: ``MessageError`` when a request is malformed. The sender is then not one of ours
    ///   any more, and the caller ends the session.
    package func run() throws(MessageError) {
        defer { fileSystem.discardUpload() }
        var ahead: FileReply?
        // The last answer brought a descriptor, and nobody has looked since whether it was received.
        var isHandingOver = false
        while true {
            let message: ReceivedMessage?
            do throws(SystemError) {
                message = try channel.receive()
            } catch {
                if error.errno == .messageTooLong { throw .wrongDescriptor }
                return
            }
            guard var message else { return }
            // Requests bring no descriptor; one that does is not of our making.
            guard message.takeDescriptor() == nil else { throw .wrongDescriptor }
            // Ours waits for each answer. The kernel counts descriptors that nobody has received against
            // all processes of the user, and other sessions of the same user could pass none any more.
            guard !isHandingOver || channel.unreceivedByteCount == 0 else { throw .outOfTurn }
            isHandingOver = false
            let request = try FileRequest(decoding: message.bytes)
            guard answer(request, &ahead, &isHandingOver) else { return }
        }
    }

    /// Carries out one request and sends the answer; `false` when nobody is there to read it.
    private func answer(
        _ request: FileRequest,
        _ ahead: inout FileReply?,
        _ isHandingOver: inout Bool
    ) -> Bool {
        var descriptor: OwnedDescriptor?
        var reply: FileReply?
        switch request {
        case .nextEntries: reply = ahead.take()
        case .beginListing: ahead = nil
        default: break
        }
        let answer = reply ?? self.reply(to: request, opening: &descriptor)
        guard send(answer, &descriptor, &isHandingOver) else { return false }
        // While the Session formats and sends these entries, the next ones are looked up.
        if case .entries(let entries) = answer, !entries.isEmpty {
            var none: OwnedDescriptor?
            ahead = self.reply(to: .nextEntries, opening: &none)
        }
        return true
    }

    private func reply(
        to request: FileRequest,
        opening descriptor: inout OwnedDescriptor?
    ) -> FileReply {
        do throws(FileError) {
            return try perform(request, opening: &descriptor)
        } catch {
            return .failed(error)
        }
    }

    private func send(
        _ reply: FileReply,
        _ descriptor: inout OwnedDescriptor?,
        _ isHandingOver: inout Bool
    ) -> Bool {
        do throws(SystemError) {
            if let descriptor = descriptor.take() {
                isHandingOver = try handOver(descriptor, with: reply)
            } else {
                try channel.send(reply.encoded)
            }
            return true
        } catch {
            return false
        }
    }

    /// Sends a descriptor, or that there are too many of the user's on their way; `true` for the first.
    private func handOver(
        _ descriptor: borrowing OwnedDescriptor,
        with reply: FileReply
    ) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try channel.send(reply.encoded, with: descriptor)
            return true
        } catch {
            guard error.errno == .tooManyReferences else { throw error }
            // An upload that nobody can write to has failed.
            fileSystem.discardUpload()
            try channel.send(FileReply.failed(.tooManyOpen).encoded)
            return false
        }
    }

    private func perform(
        _ request: FileRequest,
        opening descriptor: inout OwnedDescriptor?
    ) throws(FileError) -> FileReply {
        switch request {
        case .enterDirectory(let path): try fileSystem.enterDirectory(path)
        case .facts(let path, let purpose):
            return .facts(try fileSystem.facts(of: path, for: purpose))
        case .openForReading(let path):
            return opened(try fileSystem.openForReading(path), &descriptor)
        case .openForWriting(let path, let disposition):
            return opened(try fileSystem.openForWriting(path, disposition), &descriptor)
        case .makeDirectory(let path): try fileSystem.makeDirectory(path)
        case .removeDirectory(let path): try fileSystem.removeDirectory(path)
        case .removeFile(let path): try fileSystem.removeFile(path)
        case .commitUpload: try fileSystem.commitUpload()
        case .emptyUpload: try fileSystem.emptyUpload()
        case .discardUpload: fileSystem.discardUpload()
        case .extendUpload(let count): return .byteCount(try fileSystem.extendUpload(by: count))
        case .storageReport: return .storage(try fileSystem.storageReport())
        case .rename(let path, let newPath): try fileSystem.rename(path, to: newPath)
        case .setModificationTime(let path, let seconds):
            try fileSystem.setModificationTime(of: path, to: seconds)
        case .setMode(let path, let mode): try fileSystem.setMode(of: path, to: mode)
        case .setGroup(let path, let group): try fileSystem.setGroup(of: path, to: group)
        case .makeSymbolicLink(let path, let target):
            try fileSystem.makeSymbolicLink(path, to: target)
        case .setFileModeMask(let mask): try fileSystem.setFileModeMask(mask)
        case .availableByteCount(let path):
            return .byteCount(try fileSystem.availableByteCount(in: path))
        case .message(let path): return .text(try fileSystem.message(path))
        case .beginListing(let path, let query):
            return .facts(try fileSystem.beginListing(of: path, query))
        case .nextEntries: return .entries(try fileSystem.nextEntries())
        }
        return .done
    }

    private func opened(
        _ file: consuming OpenedFile,
        _ descriptor: inout OwnedDescriptor?
    ) -> FileReply {
        let reply = FileReply.opened(
            file.facts,
            file.path,
            isNew: file.isNew,
            isMetered: file.isMetered
        )
        descriptor = file.takeDescriptor()
        return reply
    }
}
