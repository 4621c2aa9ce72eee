internal import FileSystem

/// Why an operation on a file failed, as far as the client may know.
public enum FTPFileError: Error, Hashable, Sendable, CaseIterable {
    /// Nothing has this name (550).
    case notFound
    /// This user may not do it (550).
    case accessDenied
    /// The name is taken (550).
    case exists
    /// A directory was needed (550).
    case notDirectory
    /// A directory cannot be treated so (550).
    case isDirectory
    /// The directory still holds something (550).
    case notEmpty
    /// There is no room (552).
    case noSpace
    /// The file would be larger than allowed (552).
    case tooLarge
    /// The name cannot be one (553).
    case badName
    /// Something else uses the file (450).
    case busy
    /// The position lies behind the end of the file (554).
    case beyondEnd
    /// Nothing may be changed here (550).
    case readOnly
    /// The two names cannot go together: a directory into itself, for example (550).
    case impossible
    /// Something unforeseen happened (451).
    case failed

    init(_ error: FileError) {
        self =
            switch error {
            case .notFound, .unavailable: .notFound
            case .accessDenied, .notPermitted: .accessDenied
            case .exists: .exists
            case .notDirectory: .notDirectory
            case .isDirectory: .isDirectory
            case .notEmpty: .notEmpty
            case .noSpace, .overQuota, .overFileQuota: .noSpace
            case .tooLarge: .tooLarge
            case .nameTooLong: .badName
            case .busy: .busy
            case .beyondEnd: .beyondEnd
            case .readOnly: .readOnly
            case .impossible, .crossDevice: .impossible
            case .tooManyLinks, .notRegular, .tooManyOpen, .inputOutput, .damaged: .failed
            }
    }

    var base: FileError {
        switch self {
        case .notFound: .notFound
        case .accessDenied: .accessDenied
        case .exists: .exists
        case .notDirectory: .notDirectory
        case .isDirectory: .isDirectory
        case .notEmpty: .notEmpty
        case .noSpace: .noSpace
        case .tooLarge: .tooLarge
        case .badName: .nameTooLong
        case .busy: .busy
        case .beyondEnd: .beyondEnd
        case .readOnly: .readOnly
        case .impossible: .impossible
        case .failed: .inputOutput
        }
    }
}

/// Calls what a program has written, which may throw anything.
func reducingErrors<Result: ~Copyable>(
    _ body: () throws -> Result
) throws(FileError) -> Result {
    do {
        return try body()
    } catch let error as FTPFileError {
        throw error.base
    } catch let error as FileError {
        throw error
    } catch {
        throw .inputOutput
    }
}

/// Calls what this library has written for a program.
func forProgram<Result: ~Copyable>(
    _ body: () throws(FileError) -> Result
) throws(FTPFileError) -> Result {
    do throws(FileError) {
        return try body()
    } catch {
        throw FTPFileError(error)
    }
}
