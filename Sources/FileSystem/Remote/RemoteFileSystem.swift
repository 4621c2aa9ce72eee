package import FTPProtocol
package import LinuxSystem
internal import SystemPackage

/// A file system that asks another process for everything.
///
/// A Session has no files of its own: the Agent at the other end of the channel resolves paths,
/// checks permissions, and hands over descriptors. When it is gone every call fails with
/// ``FileError/unavailable``.
package final class RemoteFileSystem: FileSystem {
    /// The channel to the process that opens files, for `poll(2)`.
    package let channel: MessageSocket

    /// Asks over `channel`.
    package init(_ channel: consuming MessageSocket) {
        self.channel = channel
    }

    private func ask(_ request: FileRequest) throws(FileError) -> FileReply {
        var descriptor: OwnedDescriptor?
        return try ask(request, receiving: &descriptor)
    }

    private func ask(
        _ request: FileRequest,
        receiving descriptor: inout OwnedDescriptor?
    ) throws(FileError) -> FileReply {
        let reply: FileReply
        do {
            try channel.send(request.encoded)
            guard var message = try channel.receive() else { throw FileError.unavailable }
            reply = try FileReply(decoding: message.bytes)
            descriptor = message.takeDescriptor()
        } catch {
            throw .unavailable
        }
        if case .failed(let error) = reply { throw error }
        return reply
    }

    private func perform(_ request: FileRequest) throws(FileError) {
        guard case .done = try ask(request) else { throw .unavailable }
    }

    private func open(_ request: FileRequest) throws(FileError) -> OpenedFile {
        var descriptor: OwnedDescriptor?
        let reply = try ask(request, receiving: &descriptor)
        guard case .opened(let facts, let path, let isNew, let isMetered) = reply,
            let file = descriptor.take()
        else {
            throw .unavailable
        }
        return OpenedFile(
            descriptor: file,
            facts: facts,
            path: path,
            isNew: isNew,
            isMetered: isMetered
        )
    }

    package func enterDirectory(_ path: VirtualPath) throws(FileError) {
        try perform(.enterDirectory(path))
    }

    package func facts(
        of path: VirtualPath,
        for purpose: FactsPurpose
    ) throws(FileError) -> FileFacts {
        guard case .facts(let facts) = try ask(.facts(path, purpose)) else {
            throw .unavailable
        }
        return facts
    }

    package func openForReading(_ path: VirtualPath) throws(FileError) -> OpenedFile {
        try open(.openForReading(path))
    }

    package func openForWriting(
        _ path: VirtualPath,
        _ disposition: WriteDisposition
    ) throws(FileError) -> OpenedFile {
        try open(.openForWriting(path, disposition))
    }

    package func makeDirectory(_ path: VirtualPath) throws(FileError) {
        try perform(.makeDirectory(path))
    }

    package func removeDirectory(_ path: VirtualPath) throws(FileError) {
        try perform(.removeDirectory(path))
    }

    package func removeFile(_ path: VirtualPath) throws(FileError) {
        try perform(.removeFile(path))
    }

    package func extendUpload(by byteCount: Int64) throws(FileError) -> Int64 {
        guard case .byteCount(let count) = try ask(.extendUpload(byteCount)) else {
            throw .unavailable
        }
        return count
    }

    package func storageReport() throws(FileError) -> StorageReport {
        guard case .storage(let report) = try ask(.storageReport) else { throw .unavailable }
        return report
    }

    package func emptyUpload() throws(FileError) {
        try perform(.emptyUpload)
    }

    package func commitUpload() throws(FileError) {
        try perform(.commitUpload)
    }

    package func discardUpload() {
        // When nobody answers, the process that opens files has done it by itself.
        try? perform(.discardUpload)
    }

    package func rename(_ path: VirtualPath, to newPath: VirtualPath) throws(FileError) {
        try perform(.rename(path, newPath))
    }

    package func setModificationTime(
        of path: VirtualPath,
        to seconds: Int64
    ) throws(FileError) {
        try perform(.setModificationTime(path, seconds))
    }

    package func setMode(of path: VirtualPath, to mode: UInt16) throws(FileError) {
        try perform(.setMode(path, mode))
    }

    package func setGroup(of path: VirtualPath, to group: UInt32) throws(FileError) {
        try perform(.setGroup(path, group))
    }

    package func makeSymbolicLink(
        _ path: VirtualPath,
        to target: VirtualPath
    ) throws(FileError) {
        try perform(.makeSymbolicLink(path, target))
    }

    package func setFileModeMask(_ mask: UInt16) throws(FileError) {
        try perform(.setFileModeMask(mask))
    }

    package func availableByteCount(in path: VirtualPath) throws(FileError) -> Int64 {
        guard case .byteCount(let count) = try ask(.availableByteCount(path)) else {
            throw .unavailable
        }
        return count
    }

    package func message(_ path: VirtualPath) throws(FileError) -> [UInt8] {
        guard case .text(let text) = try ask(.message(path)) else { throw .unavailable }
        return text
    }

    @discardableResult
    package func beginListing(
        of path: VirtualPath,
        _ query: ListingQuery
    ) throws(FileError) -> FileFacts {
        guard case .facts(let facts) = try ask(.beginListing(path, query)) else {
            throw .unavailable
        }
        return facts
    }

    package func nextEntries() throws(FileError) -> EntryPiece {
        guard case .entries(let entries) = try ask(.nextEntries) else { throw .unavailable }
        return entries
    }
}
