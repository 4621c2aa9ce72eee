/// A pattern for paths, as in vsftpd's `deny_file`: `*` and `?`, for a name at any depth, or with
/// slashes for a place.
///
/// No `*` reaches across a slash. `secret/*.key` is such a place at any depth, `/secret` one beneath
/// the top.
package struct NamePattern: Hashable, Sendable {
    private let names: [GlobPattern]
    private let isAnchored: Bool

    /// Reads a pattern, which has at least one name.
    package init?(_ bytes: [UInt8], ignoresCase: Bool) {
        let slash = UInt8(ascii: "/")
        isAnchored = bytes.first == slash
        var names: [GlobPattern] = []
        for part in bytes.split(separator: slash) {
            guard let name = GlobPattern(Array(part), syntax: .simple, ignoresCase: ignoresCase)
            else { return nil }
            names.append(name)
        }
        guard !names.isEmpty else { return nil }
        self.names = names
    }

    /// Whether the path of these names is described.
    package func describes(_ path: [[UInt8]]) -> Bool {
        let start = path.count - names.count
        guard start == 0 || start > 0 && !isAnchored else { return false }
        return matches(path, from: start)
    }

    /// Whether the path, or a directory above it, is described.
    package func covers(_ path: [[UInt8]]) -> Bool {
        let last = path.count - names.count
        guard last >= 0 else { return false }
        return isAnchored ? matches(path, from: 0) : (0...last).contains { matches(path, from: $0) }
    }

    /// Whether a directory of this name may be one that the pattern names on the way.
    ///
    /// Whoever gave it another name would take what lies in it out of the pattern's reach.
    package func leads(through name: [UInt8]) -> Bool {
        names.dropLast().contains { $0.matches(name) }
    }

    private func matches(_ path: [[UInt8]], from start: Int) -> Bool {
        names.indices.allSatisfy { names[$0].matches(path[start + $0]) }
    }
}

/// Several patterns, any of which may describe a path.
package struct NamePatterns: Hashable, Sendable {
    /// The most patterns that braces may stand for.
    package static let maximumCount = 100

    private let patterns: [NamePattern]

    /// Why a text is no list of patterns.
    package enum Problem: Error, Hashable, Sendable {
        /// A brace has no partner, or stands within others.
        case braces
        /// There are more than ``maximumCount``.
        case tooMany
        /// One of them names nothing, or a name in it is longer than names can be.
        case noPattern
    }

    /// Reads a text of vsftpd's form, in which `{a,b}` stands for either.
    package init(_ text: [UInt8], ignoresCase: Bool) throws(Problem) {
        var patterns: [NamePattern] = []
        for alternative in try Self.alternatives(in: text) {
            guard let pattern = NamePattern(alternative, ignoresCase: ignoresCase) else {
                throw .noPattern
            }
            patterns.append(pattern)
        }
        self.patterns = patterns
    }

    /// Whether one of them describes the path of these names.
    package func describe(_ path: [[UInt8]]) -> Bool {
        patterns.contains { $0.describes(path) }
    }

    /// Whether one of them describes the path or a directory above it.
    package func cover(_ path: [[UInt8]]) -> Bool {
        patterns.contains { $0.covers(path) }
    }

    /// Whether a directory of this name may stand on the way that one of them names.
    package func lead(through name: [UInt8]) -> Bool {
        patterns.contains { $0.leads(through: name) }
    }

    private static func alternatives(in text: [UInt8]) throws(Problem) -> [[UInt8]] {
        var results: [[UInt8]] = [[]]
        var rest = text[...]
        while let byte = rest.popFirst() {
            guard byte != UInt8(ascii: "}") else { throw .braces }
            guard byte == UInt8(ascii: "{") else {
                for index in results.indices { results[index].append(byte) }
                continue
            }
            guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { throw .braces }
            let inner = rest[..<end]
            guard !inner.contains(UInt8(ascii: "{")) else { throw .braces }
            rest = rest[end...].dropFirst()
            let choices = inner.split(
                separator: UInt8(ascii: ","),
                omittingEmptySubsequences: false
            )
            guard results.count * choices.count <= maximumCount else { throw .tooMany }
            results = results.flatMap { start in choices.map { start + $0 } }
        }
        return results
    }
}
