package import FTPProtocol

/// Rules that hold in some places only: other letters in a directory, and patterns of names.
///
/// They are held against the resolved path, so no symbolic link leads around them.
package struct PlaceRules: Hashable, Sendable {
    /// Letters of single directories (`override_perm`).
    package var overrides: [PermissionOverride] = []

    /// Names that nothing may be done with, nor with what lies beneath (`deny_file`).
    package var denied: NamePatterns?

    /// Names that listings leave out (`hide_file`).
    package var hidden: NamePatterns?

    /// The only names of files that may be stored (`upload_file`).
    package var uploads: NamePatterns?

    /// The only names of files that may be fetched (`download_file`).
    package var downloads: NamePatterns?

    /// Creates rules that change nothing anywhere.
    package init() {}

    /// Whether nothing differs from place to place.
    package var isEmpty: Bool {
        overrides.isEmpty && denied == nil && hidden == nil && uploads == nil && downloads == nil
    }

    /// Whether nothing may be done with `path`.
    func denies(_ path: VirtualPath) -> Bool {
        denied?.cover(path.components) ?? false
    }

    /// Whether listings leave `path` out.
    func hides(_ path: VirtualPath) -> Bool {
        hidden?.describe(path.components) ?? false
    }

    /// What may be done at a resolved path, where `letters` hold if nothing else is said.
    func permissions(
        at path: VirtualPath,
        isDirectory: Bool,
        otherwise letters: Permissions
    ) -> Permissions {
        let components = path.components
        if let denied, denied.cover(components) { return [] }
        // The most specific directory decides; of two that are equal, the later one.
        var best: PermissionOverride?
        for candidate in overrides where candidate.covers(path, isDirectory: isDirectory) {
            let length = candidate.directory.bytes.count
            if length >= best?.directory.bytes.count ?? 0 { best = candidate }
        }
        var result = best?.permissions ?? letters
        guard !isDirectory else { return result }
        if let downloads, !downloads.describe(components) { result.remove(.retrieve) }
        if let uploads, !uploads.describe(components) { result.subtract([.store, .append]) }
        return result
    }

    /// Whether a file may change its name as far as patterns go: by what it is called then, it must
    /// not become what could not have been stored, nor fetched before.
    func allowsRename(of file: VirtualPath, to target: VirtualPath) -> Bool {
        if let uploads, !uploads.describe(target.components) { return false }
        guard let downloads else { return true }
        return downloads.describe(file.components) || !downloads.describe(target.components)
    }

    /// Whether a directory has to keep its name, because a rule depends on it.
    func pins(_ directory: VirtualPath) -> Bool {
        guard let name = directory.lastComponent else { return true }
        return overrides.contains { $0.directory.isEqualOrBeneath(directory) }
            || [denied, hidden, uploads, downloads].contains { $0?.lead(through: name) ?? false }
    }
}

/// Letters that hold in one directory, in place of those that hold elsewhere.
package struct PermissionOverride: Hashable, Sendable {
    /// The directory.
    package var directory: VirtualPath

    /// What may be done there.
    package var permissions: Permissions

    /// Whether they hold in every directory beneath as well.
    package var isRecursive: Bool

    /// Creates an override.
    package init(directory: VirtualPath, permissions: Permissions, isRecursive: Bool) {
        self.directory = directory
        self.permissions = permissions
        self.isRecursive = isRecursive
    }

    /// Whether it holds at `path`: pyftpdlib's rule, by which the directory itself and the files
    /// directly in it are meant unless it is recursive.
    func covers(_ path: VirtualPath, isDirectory: Bool) -> Bool {
        if path == directory { return true }
        if isRecursive { return path.isEqualOrBeneath(directory) }
        return !isDirectory && path.parent == directory
    }
}

extension VirtualPath {
    /// Whether this is `directory` or something in it, at any depth.
    func isEqualOrBeneath(_ directory: VirtualPath) -> Bool {
        if directory.isRoot { return true }
        return bytes.starts(with: directory.bytes)
            && (bytes.count == directory.bytes.count
                || bytes[directory.bytes.count] == UInt8(ascii: "/"))
    }
}
