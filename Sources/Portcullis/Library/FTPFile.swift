internal import FileSystem
internal import LinuxSystem

/// An open file: a descriptor, which can be passed to the process of a session.
///
/// Once it is returned from an operation of ``AbstractedFS`` it belongs to the session; keep a
/// ``duplicate()`` where it is to be looked at later.
public final class FTPFile {
    private var descriptor: OwnedDescriptor?

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = consume descriptor
    }

    /// Takes over a descriptor that the program has opened.
    ///
    /// Its position is where reading or writing begins. It has to be a regular file's, or
    /// ``memory(_:)``: a pipe or a socket would make the session wait.
    ///
    /// - Parameter number: An open descriptor, which the program no longer uses.
    public convenience init(owning number: CInt) {
        self.init(OwnedDescriptor(owning: number))
    }

    /// Makes a file that lies in memory alone (`memfd_create(2)`), with the position at its start.
    ///
    /// - Parameter bytes: What it holds.
    /// - Returns: The file.
    /// - Throws: ``FTPFileError`` when there is no memory or no descriptor.
    public static func memory(_ bytes: [UInt8] = []) throws(FTPFileError) -> FTPFile {
        do throws(SystemError) {
            let descriptor = try OwnedDescriptor.inMemory()
            try unsafe bytes.span.withUnsafeBytes { (memory) throws(SystemError) in
                try unsafe descriptor.writeAll(memory)
            }
            try descriptor.seek(to: 0)
            return FTPFile(descriptor)
        } catch {
            throw FTPFileError(FileError(error))
        }
    }

    /// Makes a second descriptor for the same open file, which shares its position.
    public func duplicate() throws(FTPFileError) -> FTPFile {
        FTPFile(try with { (file) throws(SystemError) in try file.duplicate() })
    }

    /// Moves the position to `offset` bytes from the start.
    public func seek(to offset: Int64) throws(FTPFileError) {
        try with { (file) throws(SystemError) in try file.seek(to: offset) }
    }

    /// Removes everything that the file holds; the position stays.
    public func truncate() throws(FTPFileError) {
        try with { (file) throws(SystemError) in try file.truncate() }
    }

    /// Reads the next bytes, and moves the position behind them.
    ///
    /// - Parameter maximumByteCount: How many there may be; more than a megabyte are not read at once.
    /// - Returns: The bytes; none at the end.
    /// - Throws: ``FTPFileError/failed``.
    public func read(atMost maximumByteCount: Int) throws(FTPFileError) -> [UInt8] {
        try with { (file) throws(SystemError) in
            var piece = [UInt8](repeating: 0, count: max(1, min(maximumByteCount, 1_048_576)))
            var space = piece.mutableSpan
            let count = try unsafe space.withUnsafeMutableBytes { memory throws(SystemError) in
                try unsafe file.read(into: memory)
            }
            return Array(piece.prefix(count))
        }
    }

    /// Reads everything that the file holds, and leaves the position at its end.
    ///
    /// - Parameter maximumByteCount: More is refused.
    /// - Returns: The bytes.
    /// - Throws: ``FTPFileError/tooLarge`` or ``FTPFileError/failed``.
    public func contents(atMost maximumByteCount: Int = 1 << 30) throws(FTPFileError) -> [UInt8] {
        try with { (file) throws(SystemError) in
            try file.contents(maximumByteCount: maximumByteCount)
        }
    }

    private func with<Result: ~Copyable>(
        _ body: (borrowing OwnedDescriptor) throws(SystemError) -> Result
    ) throws(FTPFileError) -> Result {
        switch descriptor {
        case .none: throw .failed
        case .some(let descriptor):
            do throws(SystemError) {
                return try body(descriptor)
            } catch {
                throw FTPFileError(FileError(error))
            }
        }
    }

    /// Gives the descriptor to the session.
    func take() throws(FileError) -> OwnedDescriptor {
        guard let descriptor = descriptor.take() else { throw .inputOutput }
        return descriptor
    }
}
