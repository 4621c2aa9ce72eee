internal import FTPProtocol
internal import FileSystem

// ALLO and AVBL: how much may be stored.

extension FTPHandler {
    /// ALLO (RFC 959 section 4.1.3).
    ///
    /// Nothing is set aside. A size that cannot fit now is refused here, before the client has sent
    /// it all in vain.
    final func allocate(_ argument: [UInt8]) throws(SessionEnd) {
        guard let size = AllocationSize.parse(argument) else {
            try reply(501, "ALLO takes a number of bytes.")
            return
        }
        guard let login else { throw .processGone }
        let maximum = configuration.uploads.maximumFileSize
        guard maximum == 0 || size <= maximum else {
            try reply(552, "A file may have \(maximum) bytes.")
            return
        }
        let available: Int64
        do throws(FileError) {
            available = try login.fileSystem.availableByteCount(in: workingDirectory)
        } catch {
            if error == .unavailable { throw .processGone }
            try reply(202, "No storage allocation is necessary.")
            return
        }
        guard size <= available else {
            try reply(452, "Only \(available) bytes are available.")
            return
        }
        try reply(200, "\(size) bytes would fit.")
    }

    /// AVBL (draft-peterson-streamlined-ftp-command-extensions section 3).
    final func availableSpace(_ argument: [UInt8]) throws(SessionEnd) {
        var path: VirtualPath? = workingDirectory
        if !argument.isEmpty { path = try self.path(argument) }
        guard let path else { return }
        let found = try attempt(550, "AVBL") { fileSystem throws(FileError) in
            try fileSystem.availableByteCount(in: path)
        }
        if let found { try reply(213, "\(found)") }
    }
}
