import FTPProtocol
import Glibc
import LinuxSystem

/// A pattern describes what fnmatch(3) says it does, and never takes long to find out.
///
/// The first line of the input is the pattern, each other one a name or a path.
enum GlobsTarget {
    /// Thousands of times what the worst of the patterns has any need of.
    private static let budget: Duration = .seconds(2)

    static func run(_ input: [UInt8]) throws {
        var reader = InputReader(input)
        let pattern = reader.line()
        _ = ListArguments(argument: pattern)
        let start = Self.now
        while !reader.isAtEnd {
            let name = reader.line()
            try check(pattern, name)
        }
        let spent = Self.now - start
        try claim(spent < budget, "\(input.count) bytes took \(spent)")
    }

    private static func check(_ pattern: [UInt8], _ name: [UInt8]) throws {
        if let glob = GlobPattern(pattern) {
            try claim(pattern.count <= GlobPattern.maximumByteCount, "a pattern is too long")
            let isMatch = glob.matches(name)
            if let other = fnmatch(pattern, name) {
                try claim(isMatch == other, "fnmatch(3) says \(other)")
            }
        }
        if let simple = GlobPattern(pattern, syntax: .simple), !GlobPattern.isPattern(pattern) {
            try claim(simple.matches(name) == (pattern == name), "a word is no pattern")
        }
        if let folded = GlobPattern(pattern, ignoresCase: true), let glob = GlobPattern(pattern) {
            // What no bracket excludes is matched all the more where case is nothing.
            let excludes = pattern.contains(UInt8(ascii: "["))
            try claim(excludes || folded.matches(name) || !glob.matches(name), "case matters")
        }
        guard let patterns = try? NamePatterns(pattern, ignoresCase: false) else { return }
        let path = name.split(separator: UInt8(ascii: "/")).map(Array.init)
        // What describes a path describes whatever holds it, too.
        try claim(!patterns.describe(path) || patterns.cover(path), "described and not covered")
        try claim(!patterns.cover(path) || patterns.cover(path + [[0x78]]), "not covered below")
        _ = path.first.map { patterns.lead(through: $0) }
    }

    /// What the C library says, where both mean the same by the pattern and it does not take long.
    private static func fnmatch(_ pattern: [UInt8], _ name: [UInt8]) -> Bool? {
        let isASCII = (pattern + name).allSatisfy { (1..<0x80).contains($0) }
        let stars = pattern.count { $0 == UInt8(ascii: "*") }
        let hasBracket = pattern.contains(UInt8(ascii: "["))
        let backslash = UInt8(ascii: "\\")
        // Classes such as [:alpha:], and what a backslash means between brackets or at the end, are
        // not the same, nor is a range that begins behind its end.
        let isPlain =
            !hasBracket && pattern.last != backslash
            || hasBracket
                && !pattern.contains { [backslash, UInt8(ascii: "-")].contains($0) }
                && ![":", ".", "="].contains { pattern.holds("[" + $0) }
        guard isASCII, isPlain, stars <= 4, name.count <= 64 else { return nil }
        let text = String(decoding: pattern, as: UTF8.self)
        return unsafe Glibc.fnmatch(text, String(decoding: name, as: UTF8.self), 0) == 0
    }

    /// The processor's time of this thread, which a busy machine does not stretch.
    private static var now: Duration {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

extension [UInt8] {
    /// Whether the bytes of a text stand somewhere.
    func holds(_ text: String) -> Bool {
        let wanted = Array(text.utf8)
        guard count >= wanted.count else { return false }
        return (0...(count - wanted.count)).contains { self[$0...].starts(with: wanted) }
    }
}
