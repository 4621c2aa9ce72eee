internal import FTPProtocol
internal import FileSystem

/// A directory listing as the client gets it, formatted piece by piece.
final class ListingSource: TransferSource {
    let produce: (inout [UInt8]) throws(FileError) -> Bool
    private var text: [UInt8] = []
    private var position = 0

    /// Sends what `produce` appends, until it says that this was all.
    init(_ produce: @escaping (inout [UInt8]) throws(FileError) -> Bool) {
        self.produce = produce
    }

    /// Formats the listing that `fileSystem` has begun; `format` appends one entry with its line
    /// end.
    convenience init(
        _ fileSystem: any FileSystem,
        format: @escaping (EntryView, inout [UInt8]) -> Void
    ) {
        self.init { text throws(FileError) in
            let entries = try fileSystem.nextEntries()
            for entry in entries { format(entry, &text) }
            return !entries.isEmpty
        }
    }

    func next(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        while position == text.count {
            text.removeAll(keepingCapacity: true)
            position = 0
            guard try produce(&text) else { return 0 }
        }
        let count = min(buffer.count, text.count - position)
        unsafe buffer.copyBytes(from: text[position..<(position + count)])
        position += count
        return count
    }
}
