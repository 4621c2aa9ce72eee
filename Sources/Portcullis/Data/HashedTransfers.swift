internal import FTPProtocol
internal import FileSystem

// The hash of what is transferred, for the audit trail.

/// Another source of which the content is hashed on its way.
final class HashedSource: TransferSource {
    private let base: any TransferSource
    private let hash: ContentHash

    init(_ base: any TransferSource, _ hash: ContentHash) {
        self.base = base
        self.hash = hash
    }

    func next(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        let count = try unsafe base.next(into: buffer)
        unsafe hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return count
    }

    var isAtEnd: Bool { base.isAtEnd }
}

/// Another sink of which the content is hashed on its way.
final class HashedSink: TransferSink {
    private let base: any TransferSink
    private let hash: ContentHash

    init(_ base: any TransferSink, _ hash: ContentHash) {
        self.base = base
        self.hash = hash
    }

    func put(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        try unsafe base.put(bytes)
        unsafe hash.update(bytes)
    }

    func finish() throws(FileError) {
        try base.finish()
    }
}
