/// Why a path was refused.
package enum VirtualPathError: Error, Hashable, Sendable {
    /// The argument has no bytes.
    case empty

    /// The argument holds NUL, CR or LF.
    case forbiddenByte

    /// The path would exceed ``VirtualPath/maximumByteCount``.
    case tooLong
}

/// An absolute path as the client sees it.
///
/// Normalised: no component is empty, `.` or `..`, and no byte is NUL, CR or LF. This is a matter
/// of order, not of safety: whether a path stays inside the jail is decided by the kernel alone.
///
/// The rule for names, everywhere in this server: a name is bytes. NUL, CR and LF never pass: a
/// path that holds one is refused (501), and a name on the disk that holds one is listed with `?`
/// in its place, so it cannot be reached. Every other byte passes unchanged both ways, whether or
/// not the name is UTF-8 (RFC 2640 section 2.1 wants UTF-8 of clients; files that older systems left
/// behind must stay reachable). On the control connection byte 255 is written twice, because alone
/// it begins a Telnet command (RFC 854).
package struct VirtualPath: Hashable, Sendable {
    /// The longest path, in bytes; below the kernel's limit of 4096 (`PATH_MAX`).
    package static let maximumByteCount = 4000

    /// The top directory, `/`.
    package static let root = VirtualPath(normalised: [slash])

    /// The path itself: `/`, or `/a/b` without a slash at the end.
    package let bytes: [UInt8]

    private static let slash = UInt8(ascii: "/")

    private init(normalised bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Takes a path that another process says is normalised.
    ///
    /// - Returns: `nil` when it is not, or when any other rule is broken. Nothing is mended here.
    package init?(bytes: [UInt8]) {
        guard bytes.first == Self.slash, bytes.count <= Self.maximumByteCount else { return nil }
        if bytes.count > 1 {
            let components = bytes[1...].split(
                separator: Self.slash,
                omittingEmptySubsequences: false
            )
            guard components.allSatisfy(Self.isComponent) else { return nil }
        }
        self.bytes = bytes
    }

    /// Reads `text` as a client at the root would have sent it.
    package init?(_ text: String) {
        guard let path = try? Self.root.resolving(Array(text.utf8)) else { return nil }
        self = path
    }

    /// Applies what a client sent as a path, with this path as the working directory.
    ///
    /// Folds `//`, `.` and `..` as text; `..` at the root stays there. What a symbolic link
    /// followed by `..` means is thus what the client sees, not what the disk says: the same rule
    /// by which CWD and CDUP undo each other.
    ///
    /// - Parameter argument: An absolute path, or one relative to this path.
    /// - Returns: The normalised path, whether or not anything is there.
    /// - Throws: ``VirtualPathError``.
    package func resolving(_ argument: [UInt8]) throws(VirtualPathError) -> VirtualPath {
        guard !argument.isEmpty else { throw .empty }
        guard !argument.contains(where: Self.isForbidden) else { throw .forbiddenByte }
        var result = argument.first == Self.slash || isRoot ? [] : bytes
        for component in argument.split(separator: Self.slash) {
            switch Array(component) {
            case [UInt8(ascii: ".")]:
                break
            case [UInt8(ascii: "."), UInt8(ascii: ".")]:
                if let last = result.lastIndex(of: Self.slash) {
                    result.removeSubrange(last...)
                }
            default:
                result.append(Self.slash)
                result.append(contentsOf: component)
            }
        }
        guard result.count <= Self.maximumByteCount else { throw .tooLong }
        return result.isEmpty ? .root : VirtualPath(normalised: result)
    }

    /// Whether this is the top directory.
    package var isRoot: Bool { bytes.count == 1 }

    /// The names from the top down; none for the root.
    package var components: [[UInt8]] {
        bytes.split(separator: Self.slash).map(Array.init)
    }

    /// The directory that holds this object; the root's is the root.
    package var parent: VirtualPath {
        guard let last = bytes.lastIndex(of: Self.slash), last > 0 else { return .root }
        return VirtualPath(normalised: Array(bytes[..<last]))
    }

    /// The object's own name, or `nil` for the root.
    package var lastComponent: [UInt8]? {
        guard !isRoot, let last = bytes.lastIndex(of: Self.slash) else { return nil }
        return Array(bytes[(last + 1)...])
    }

    /// The path of an object in this directory.
    ///
    /// - Returns: `nil` when `component` is no valid name, or the path would become too long.
    package func appending(component: [UInt8]) -> VirtualPath? {
        guard Self.isComponent(component[...]), !component.contains(Self.slash) else { return nil }
        let bytes = (isRoot ? [] : bytes) + [Self.slash] + component
        guard bytes.count <= Self.maximumByteCount else { return nil }
        return VirtualPath(normalised: bytes)
    }

    /// What leads here from `directory`, as a symbolic link there holds it: `../b/c`.
    package func relative(to directory: VirtualPath) -> [UInt8] {
        let own = components
        let other = directory.components
        var shared = 0
        while shared < own.count, shared < other.count, own[shared] == other[shared] {
            shared += 1
        }
        let up = repeatElement(Array("..".utf8), count: other.count - shared)
        let steps = Array(up) + own[shared...]
        return steps.isEmpty ? [UInt8(ascii: ".")] : Array(steps.joined(separator: [Self.slash]))
    }

    /// The path as text; bytes that are not UTF-8 show as U+FFFD.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The path between quotes for the log, escaped as values there are; two of them fit in a line.
    package var quoted: String {
        "\"\(LogText.escaped(bytes, maximumByteCount: 1_900))\""
    }

    /// The path between quotes, each quote in it doubled (RFC 959 appendix II).
    package var quotedBytes: [UInt8] {
        let quote = UInt8(ascii: "\"")
        var output = [quote]
        for byte in bytes {
            if byte == quote { output.append(quote) }
            output.append(byte)
        }
        output.append(quote)
        return output
    }

    private static func isForbidden(_ byte: UInt8) -> Bool {
        byte == 0 || byte == .carriageReturn || byte == .lineFeed
    }

    private static func isComponent(_ bytes: ArraySlice<UInt8>) -> Bool {
        let dot = UInt8(ascii: ".")
        return !bytes.isEmpty && bytes != [dot] && bytes != [dot, dot]
            && !bytes.contains(where: isForbidden)
    }
}
