import Glibc
import Testing

/// A directory of its own for one test, removed with what was put into it.
final class TemporaryDirectory {
    let path: String
    private var files: [String] = []

    init() throws {
        var template = Array("\(P_tmpdir)/portcullis-configuration-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
            // SAFETY: the template ends in NUL and mkdtemp only replaces its last six letters.
            guard let start = buffer.baseAddress, unsafe mkdtemp(start) != nil else { return nil }
            return unsafe String(cString: start)
        }
        path = try #require(made)
    }

    deinit {
        for file in files { _ = unsafe unlink(file) }
        _ = unsafe rmdir(path)
    }

    /// Creates a file and returns its path.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o600) throws -> String {
        let file = "\(path)/\(name)"
        let descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        try #require(descriptor >= 0)
        defer { _ = close(descriptor) }
        if !files.contains(file) { files.append(file) }
        let written = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
        }
        try #require(written == bytes.count)
        // The umask of whoever runs the tests must not decide what they test.
        try #require(fchmod(descriptor, mode) == 0)
        return file
    }

    @discardableResult
    func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws -> String {
        try write(name, Array(text.utf8), mode: mode)
    }

    /// Creates a named pipe that nobody writes to.
    func makePipe(_ name: String) throws -> String {
        let file = "\(path)/\(name)"
        try #require(unsafe mkfifo(file, 0o600) == 0)
        files.append(file)
        return file
    }
}
