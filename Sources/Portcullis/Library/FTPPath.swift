internal import FTPProtocol

/// A path as the client sees it: absolute, without `.` and `..`, at most 4,000 bytes.
///
/// Names are bytes, and need not be UTF-8 (RFC 2640); none holds NUL, CR, LF or `/`.
public struct FTPPath: Hashable, Sendable, CustomStringConvertible {
    let base: VirtualPath

    init(_ base: VirtualPath) {
        self.base = base
    }

    /// Reads a path such as `/pub/file`.
    ///
    /// - Returns: `nil` for anything that is none.
    public init?(_ text: String) {
        guard let base = VirtualPath(text) else { return nil }
        self.base = base
    }

    /// The directory that the client sees as `/`.
    public static let root = FTPPath(.root)

    /// The bytes, beginning with `/`.
    public var bytes: [UInt8] { base.bytes }

    /// The bytes as text; what is no UTF-8 shows as U+FFFD.
    public var description: String { base.text }

    /// The names on the way, none for ``root``.
    public var components: [[UInt8]] { base.components }

    /// The last name as text; `nil` for ``root``.
    public var name: String? { base.lastComponent.map { String(decoding: $0, as: UTF8.self) } }

    /// The directory that it is in; ``root`` for itself.
    public var parent: FTPPath { FTPPath(base.parent) }

    /// The path of a name in this directory.
    ///
    /// - Returns: `nil` for what cannot be a name, or would make the path too long.
    public func appending(_ name: String) -> FTPPath? {
        base.appending(component: Array(name.utf8)).map(FTPPath.init)
    }
}
