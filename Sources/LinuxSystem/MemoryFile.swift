internal import CLinux
internal import SystemPackage

extension OwnedDescriptor {
    /// Makes an empty file that lies in memory alone (`memfd_create(2)`).
    package static func inMemory() throws(SystemError) -> OwnedDescriptor {
        let number = unsafe "file".withCString { unsafe CLinux_make_memory_file($0) }
        return OwnedDescriptor(owning: try checked("memfd_create", number))
    }

    /// Reads a whole file from its start, wherever its offset is; moves that to the end.
    ///
    /// - Throws: ``SystemError``; `EFBIG` when it holds more than `maximumByteCount` bytes.
    package borrowing func contents(maximumByteCount: Int) throws(SystemError) -> [UInt8] {
        try seek(to: 0)
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            var space = piece.mutableSpan
            let count = try unsafe space.withUnsafeMutableBytes { buffer throws(SystemError) in
                try unsafe read(into: buffer)
            }
            guard count > 0 else { return bytes }
            guard bytes.count + count <= maximumByteCount else {
                throw SystemError("read", .fileTooLarge)
            }
            bytes += piece[..<count]
        }
    }
}
