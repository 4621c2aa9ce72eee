package import LinuxSystem
internal import SystemPackage

/// Why an operation on a file failed, as far as a client may know.
package enum FileError: UInt8, Error, Hashable, Sendable {
    /// Nothing has this name, or it leads out of the jail.
    case notFound = 1
    /// The kernel does not let this user do it.
    case accessDenied
    /// The permission letters or the configuration do not allow it.
    case notPermitted
    /// The name is taken.
    case exists
    /// A directory was needed.
    case notDirectory
    /// A directory cannot be treated so.
    case isDirectory
    /// The directory still holds something.
    case notEmpty
    /// The disk or the user's quota is full.
    case noSpace
    /// The file would be larger than allowed.
    case tooLarge
    /// The name is longer than the file system takes.
    case nameTooLong
    /// Symbolic links lead in a circle.
    case tooManyLinks
    /// Something else uses the file.
    case busy
    /// The two names are on different file systems.
    case crossDevice
    /// A device, socket or FIFO, which is never opened.
    case notRegular
    /// The restart position lies behind the end of the file.
    case beyondEnd
    /// The file system is read-only.
    case readOnly
    /// No more files can be open at once.
    case tooManyOpen
    /// The device failed, or something unforeseen happened.
    case inputOutput
    /// The process that opens files is gone.
    case unavailable
    /// The two names cannot go together: a directory into itself, for example.
    case impossible
    /// The user's files would take more bytes than allowed.
    case overQuota
    /// The user would have more files than allowed.
    case overFileQuota
    /// What came is no whole stream of the kind that was announced (MODE Z).
    case damaged

    /// Reduces a failed system call to what a client may know.
    package init(_ error: SystemError) {
        self =
            switch error.errno {
            case .noSuchFileOrDirectory: .notFound
            case .permissionDenied, .notPermitted: .accessDenied
            case .fileExists: .exists
            case .notDirectory: .notDirectory
            case .isDirectory: .isDirectory
            case .directoryNotEmpty: .notEmpty
            case .noSpace, .diskQuotaExceeded: .noSpace
            case .fileTooLarge: .tooLarge
            case .fileNameTooLong: .nameTooLong
            case .tooManySymbolicLinkLevels: .tooManyLinks
            case .resourceBusy, .textFileBusy: .busy
            case .improperLink: .crossDevice
            // A FIFO without a reader, a socket: openat2(2) with O_NONBLOCK.
            case .noSuchAddressOrDevice: .notRegular
            case .readOnlyFileSystem: .readOnly
            case .tooManyOpenFiles, .tooManyOpenFilesInSystem: .tooManyOpen
            default: .inputOutput
            }
    }
}

/// Carries out system calls whose failures are reduced to what a client may know.
func reduced<Result: ~Copyable>(
    _ body: () throws(SystemError) -> Result
) throws(FileError) -> Result {
    do throws(SystemError) {
        return try body()
    } catch {
        throw FileError(error)
    }
}
