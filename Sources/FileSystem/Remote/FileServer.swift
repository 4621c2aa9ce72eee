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
            let request = try FileRequest(decoding: message.bytes)
            guard answer(request) else { return }
        }
    }

    /// Carries out one request and sends the answer; `false` when nobody is there to read it.
    private func answer(_ request: FileRequest) -> Bool {
        var descriptor: OwnedDescriptor?
        let reply: FileReply
        do throws(FileError) {
            reply = try perform(request, opening: &descriptor)
        } catch {
            reply = .failed(error)
        }
        do throws(SystemError) {
            if let descriptor = descriptor.take() {
                try channel.send(reply.encoded, with: descriptor)
            } else {
                try channel.send(reply.encoded)
            }
            return true
        } catch {
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
