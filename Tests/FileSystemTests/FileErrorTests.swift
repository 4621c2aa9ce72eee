import FileSystem
import Glibc
import LinuxSystem
import Testing

@Suite("What a client may know about a failed system call")
struct FileErrorTests {
    @Test(arguments: [
        (ENOENT, FileError.notFound), (EACCES, .accessDenied), (EPERM, .accessDenied),
        (EEXIST, .exists), (ENOTDIR, .notDirectory), (EISDIR, .isDirectory),
        (ENOTEMPTY, .notEmpty), (ENOSPC, .noSpace), (EDQUOT, .noSpace), (EFBIG, .tooLarge),
        (ENAMETOOLONG, .nameTooLong), (ELOOP, .tooManyLinks), (EBUSY, .busy), (ETXTBSY, .busy),
        (EXDEV, .crossDevice), (ENXIO, .notRegular), (EROFS, .readOnly), (EMFILE, .tooManyOpen),
        (ENFILE, .tooManyOpen), (EIO, .inputOutput), (ENOSYS, .inputOutput),
        (EINVAL, .inputOutput), (ESTALE, .inputOutput),
    ])
    func everyErrnoHasItsMeaning(code: CInt, expected: FileError) {
        errno = code
        #expect(FileError(SystemError("test")) == expected)
    }

    @Test func theNumbersThatCrossTheChannelAreDistinctAndNotZero() {
        #expect(FileError(rawValue: 0) == nil)
        #expect(FileError(rawValue: 1) == .notFound)
        #expect(FileError(rawValue: 19) == .unavailable)
        #expect(FileError(rawValue: 20) == .impossible)
        #expect(FileError(rawValue: 21) == .overQuota)
        #expect(FileError(rawValue: 22) == .overFileQuota)
        #expect(FileError(rawValue: 23) == .damaged)
        #expect(FileError(rawValue: 24) == nil)
    }
}
