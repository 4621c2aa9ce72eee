internal import FTPProtocol
internal import FileSystem

/// A directory listing as the client gets it, formatted piece by piece.
final class ListingSource: TransferSource {
    private let fileSystem: any FileSystem
    private let format: (DirectoryEntry, inout [UInt8]) -> Void
    private var text: [UInt8] = []
    private var position = 0

    /// Formats the listing that `fileSystem` has begun.
    ///
    /// `format` appends one entry with its line end.
    init(
        _ fileSystem: any FileSystem,
        format: @escaping (DirectoryEntry, inout [UInt8]) -> Void
    ) {
        self.fileSystem = fileSystem
        self.format = format
    }

    func next(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        while position == text.count {
            text.removeAll(keepingCapacity: true)
            position = 0
            let entries = try fileSystem.nextEntries()
            if entries.isEmpty { return 0 }
            for entry in entries { format(entry, &text) }
        }
        let count = min(buffer.count, text.count - position)
        unsafe buffer.copyBytes(from: text[position..<(position + count)])
        position += count
        return count
    }
}
