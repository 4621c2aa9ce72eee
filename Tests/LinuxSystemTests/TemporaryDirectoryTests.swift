import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@Suite("Temporary directories")
struct TemporaryDirectoryTests {
    private func mode(of path: String) throws -> mode_t {
        var status = stat()
        try #require(unsafe lstat(path, &status) == 0)
        return status.st_mode & 0o7777
    }

    private func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    @Test func onlyTheirOwnerMayEnter() throws {
        let directory = try Place()
        #expect(try mode(of: directory.path) == 0o700)
        #expect(try mode(of: directory.makeDirectory("inner")) == 0o700)
        #expect(try mode(of: directory.write("file", [1, 2])) & 0o077 == 0)
        #expect(try readFile(at: "\(directory.path)/file", maximumByteCount: 9) == [1, 2])
    }

    @Test func twoWithOnePrefixDiffer() throws {
        let first = try Place()
        let second = try Place()
        #expect(first.path != second.path)
    }

    @Test func aFileIsNeverOverwritten() throws {
        let directory = try Place()
        let path = try directory.write("file", [1])
        let error = thrown(SystemError.self) { _ = try directory.write("file", [2]) }
        #expect(error == SystemError("open", .fileExists))
        #expect(try readFile(at: path, maximumByteCount: 9) == [1])
    }

    @Test func everythingInThemIsRemovedAndNothingElse() throws {
        let outside = try Place()
        let kept = try outside.write("kept", [1])
        let directory = try Place()
        let inner = try directory.makeDirectory("inner")
        try #require(unsafe mkdir("\(inner)/deep", 0o700) == 0)
        _ = try directory.write("inner/deep/file", [1])
        try #require(unsafe symlink(outside.path, "\(inner)/directory-link") == 0)
        try #require(unsafe symlink(kept, "\(inner)/file-link") == 0)
        try #require(unsafe symlink("nowhere", "\(inner)/dangling") == 0)
        let path = directory.path
        directory.remove()
        #expect(!exists(path))
        #expect(exists(kept))
    }

    @Test func theModeIsWhatWasAskedFor() throws {
        let directory = try Place()
        try changeMode(of: directory.path, to: 0o711)
        #expect(try mode(of: directory.path) == 0o711)
        let error = thrown(SystemError.self) { try changeMode(of: "/nonexistent", to: 0o700) }
        #expect(error == SystemError("chmod", .noSuchFileOrDirectory))
    }
}
