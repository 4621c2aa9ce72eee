package import FTPProtocol
internal import Glibc
internal import LinuxSystem
internal import SystemPackage

/// The text that whoever enters a directory gets to see (`dirmessage_enable`).
enum DirectoryMessage {
    /// As much of it is shown as by vsftpd.
    static let maximumByteCount = 4_000
}

extension Jail {
    package func message(_ path: VirtualPath) throws(FileError) -> [UInt8] {
        try reduced { () throws(SystemError) in
            // A link would show a file that the directory's owner did not mean to show.
            let file = try root.open(path, flags: O_RDONLY | O_NOFOLLOW)
            guard try FileFacts.of(file).kind == .regular else {
                throw SystemError("openat2", .noSuchAddressOrDevice)
            }
            var text = [UInt8](repeating: 0, count: DirectoryMessage.maximumByteCount)
            var count = 0
            while count < text.count {
                let start = count
                let number = file.number
                let step = unsafe text.withUnsafeMutableBytes { memory in
                    let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start...])
                    return unsafe Glibc.read(number, rest.baseAddress, rest.count)
                }
                guard step >= 0 else { throw SystemError("read") }
                if step == 0 { break }
                count += step
            }
            return [UInt8](text.prefix(count))
        }
    }
}

extension PermittedFileSystem {
    package func message(_ path: VirtualPath) throws(FileError) -> [UInt8] {
        guard let name = rules.messageFile, path.lastComponent == name else {
            throw .notPermitted
        }
        let directory = try allow(.enterDirectory, at: path.parent)
        guard let file = directory.appending(component: name) else { throw .nameTooLong }
        // It is shown without the letter `r`, unless whoever lacks that could give any file this
        // name.
        let permissions = permissions(at: file, isDirectory: false)
        guard !rules.places.denies(file),
            permissions.contains(.retrieve) || !permissions.contains(.rename)
        else { throw .notPermitted }
        return try base.message(file)
    }
}
