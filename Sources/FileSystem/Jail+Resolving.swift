internal import CLinux
package import FTPProtocol
internal import Glibc
internal import LinuxSystem
internal import SystemPackage

/// Where a path leads once its symbolic links are followed.
package struct ResolvedPath: Hashable, Sendable {
    /// The path without symbolic links.
    package let path: VirtualPath

    /// What stands there; `nil` for a name that is free.
    package let kind: FileFacts.Kind?

    /// Describes what was found.
    package init(path: VirtualPath, kind: FileFacts.Kind?) {
        self.path = path
        self.kind = kind
    }
}

/// Finds out where paths lead.
package protocol PathResolver: AnyObject {
    /// Follows the symbolic links of `path`; the last name only if that is asked for.
    ///
    /// The last name may be free, a directory on the way may not.
    func resolve(
        _ path: VirtualPath,
        followsLastLink: Bool
    ) throws(FileError) -> ResolvedPath
}

// What a path means to a rule is decided here, and what it means to an operation by the kernel. Both
// agree, because a jail whose rules depend on places opens nothing but paths without links: a link
// that is swapped in between makes the operation fail.
extension Jail: PathResolver {
    /// As many as the kernel follows (`path_resolution(7)`).
    private static let maximumLinkCount = 40

    /// Names that may wait to be walked, for links that point to long paths.
    private static let maximumNameCount = 8_192

    package func resolve(
        _ path: VirtualPath,
        followsLastLink: Bool
    ) throws(FileError) -> ResolvedPath {
        try reduced { () throws(SystemError) in
            if let found = try located(path), found != .symbolicLink || !followsLastLink {
                return ResolvedPath(path: path, kind: found)
            }
            return try walk(path, followsLastLink: followsLastLink)
        }
    }

    /// What stands at a path without links, or `nil` when there are some, or nothing is there.
    private func located(_ path: VirtualPath) throws(SystemError) -> FileFacts.Kind? {
        do throws(SystemError) {
            return try FileFacts.of(root.locate(path, followsLinks: false, onTheWay: .none)).kind
        } catch {
            switch error.errno {
            case .tooManySymbolicLinkLevels, .noSuchFileOrDirectory: return nil
            default: throw error
            }
        }
    }

    /// Follows the links of a path step by step.
    func walk(
        _ path: VirtualPath,
        followsLastLink: Bool
    ) throws(SystemError) -> ResolvedPath {
        var names: [[UInt8]] = path.components.reversed()
        var resolved: [[UInt8]] = []
        var directory = try root.directory(.root, followsLinks: false)
        var kind: FileFacts.Kind? = .directory
        var linkCount = 0
        while let name = names.popLast() {
            if name.elementsEqual("..".utf8) {
                // What is above the root is the root.
                _ = resolved.popLast()
                directory = try root.directory(Self.path(resolved), followsLinks: false)
                kind = .directory
                continue
            }
            let found: OwnedDescriptor
            do throws(SystemError) {
                found = try JailRoot.locate(name, in: directory)
            } catch {
                guard error.errno == .noSuchFileOrDirectory, names.isEmpty else { throw error }
                return ResolvedPath(path: try Self.path(resolved + [name]), kind: nil)
            }
            let foundKind = try FileFacts.of(found).kind
            if foundKind == .symbolicLink, !names.isEmpty || followsLastLink {
                linkCount += 1
                let target = try Self.target(of: found)
                let parts = target.split(separator: UInt8(ascii: "/")).map([UInt8].init)
                guard linkCount <= Self.maximumLinkCount,
                    names.count + parts.count <= Self.maximumNameCount
                else { throw SystemError("openat2", .tooManySymbolicLinkLevels) }
                names += parts.reversed().filter { !$0.elementsEqual(".".utf8) }
                if target.first == UInt8(ascii: "/") {
                    resolved = []
                    directory = try root.directory(.root, followsLinks: false)
                }
                kind = .directory
                continue
            }
            resolved.append(name)
            kind = foundKind
            if foundKind == .directory {
                directory = found
            } else if !names.isEmpty {
                throw SystemError("openat2", .notDirectory)
            }
        }
        return ResolvedPath(path: try Self.path(resolved), kind: kind)
    }

    /// A link may point to names that no client can send.
    private static func path(_ names: [[UInt8]]) throws(SystemError) -> VirtualPath {
        guard !names.isEmpty else { return .root }
        var bytes: [UInt8] = []
        for name in names { bytes += [UInt8(ascii: "/")] + name }
        guard let path = VirtualPath(bytes: bytes) else {
            throw SystemError("openat2", .noSuchFileOrDirectory)
        }
        return path
    }

    private static func target(
        of link: borrowing OwnedDescriptor
    ) throws(SystemError) -> [UInt8] {
        let number = link.number
        var target = [CChar](repeating: 0, count: 4_096)
        // An empty path is the link itself, which O_PATH with O_NOFOLLOW opened.
        let count = unsafe readlinkat(number, "", &target, target.count)
        guard count > 0 else { throw SystemError("readlinkat") }
        return target.prefix(count).map { UInt8(bitPattern: $0) }
    }
}
