internal import CLinux
internal import Glibc

/// A new directory under the system's place for temporary files.
package struct TemporaryDirectory: ~Copyable {
    /// Its path.
    package let path: String

    /// Makes a directory that only this process's user may enter (mkdtemp(3)).
    package static func make(prefix: String) throws(SystemError) -> TemporaryDirectory {
        let place = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(place)/\(prefix)XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        return TemporaryDirectory(
            path: String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        )
    }

    /// Makes a directory in this one.
    package borrowing func makeDirectory(_ name: String) throws(SystemError) -> String {
        let path = "\(path)/\(name)"
        guard unsafe mkdir(path, 0o700) == 0 else { throw SystemError("mkdir") }
        return path
    }

    /// Writes a file in this directory; only its owner may read it.
    package borrowing func write(_ name: String, _ content: [UInt8]) throws(SystemError) -> String {
        let path = "\(path)/\(name)"
        let number = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw SystemError("open") }
        let file = OwnedDescriptor(owning: number)
        try unsafe content.span.withUnsafeBytes { bytes throws(SystemError) in
            try unsafe file.writeAll(bytes)
        }
        return path
    }

    /// Removes the directory and everything in it, without following links (nftw(3)).
    package consuming func remove() {
        _ = unsafe CLinux_remove_tree(path)
    }
}

/// Gives a file or directory to somebody (lchown(2)).
package func changeOwner(of path: String, to credentials: Credentials) throws(SystemError) {
    guard unsafe lchown(path, credentials.user, credentials.group) == 0 else {
        throw SystemError("lchown")
    }
}

/// Makes everybody who may enter the directories above be able to enter this one (chmod(2)).
package func changeMode(of path: String, to mode: UInt16) throws(SystemError) {
    guard unsafe chmod(path, mode_t(mode)) == 0 else { throw SystemError("chmod") }
}
