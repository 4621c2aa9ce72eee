internal import FTPProtocol

/// A file that a transfer was about.
public struct TransferredFile: Sendable, Hashable {
    /// Its path as the client sees it, beginning with `/`; bytes that are no UTF-8 show as U+FFFD.
    public let path: String

    /// Its path on this machine, or `nil` where there is none (``AbstractedFS/usesHome``).
    ///
    /// Put together from names: the user's home, and ``path``; under ``Concurrency/threads`` what
    /// ``AbstractedFS/realPath(of:)`` says. Where a symbolic link of the user's is among them, opening
    /// this path may lead somewhere else, even outside the user's directory.
    public let realPath: String?

    /// Bytes that went over the data connection.
    public let byteCount: Int64

    /// How long the bytes took.
    public let duration: Duration

    init(_ path: VirtualPath, _ realPath: String?, byteCount: Int64, duration: Duration) {
        self.path = path.text
        self.realPath = realPath
        self.byteCount = byteCount
        self.duration = duration
    }
}
