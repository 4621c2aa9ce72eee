/// A pattern for one name, as a shell knows them: `*`, `?`, `[a-z]`, `[!x]` and `\` before a
/// character that is to mean itself.
///
/// The matcher remembers one star only, so a pattern costs at most its length for each character
/// of a name, whatever it looks like (CVE-2010-2632, CVE-2011-0762).
package struct GlobPattern: Hashable, Sendable {
    /// The longest pattern, in bytes; a name is no longer on most file systems.
    package static let maximumByteCount = 255

    /// Which signs mean something.
    package enum Syntax: Hashable, Sendable {
        /// All of them, for what a client sends.
        case shell
        /// `*` and `?`, as in the options of vsftpd.
        case simple
    }

    private enum Element: Hashable, Sendable {
        case scalar(UInt32)
        case any
        case star
        case set([ClosedRange<UInt32>], isNegated: Bool)
    }

    private let elements: [Element]
    private let ignoresCase: Bool

    /// Whether the pattern begins with a dot that is one, so that hidden names are asked for.
    package let wantsHidden: Bool

    /// Reads a pattern.
    ///
    /// A bracket that nothing closes, and a backslash at the end, mean themselves. There is no
    /// pattern longer than ``maximumByteCount``.
    ///
    /// - Parameters:
    ///   - bytes: The pattern.
    ///   - syntax: Which signs mean something.
    ///   - ignoresCase: Whether `A` and `a` are the same; ASCII only.
    package init?(_ bytes: [UInt8], syntax: Syntax = .shell, ignoresCase: Bool = false) {
        guard bytes.count <= Self.maximumByteCount else { return nil }
        var rest = Self.scalars(of: bytes)[...]
        var elements: [Element] = []
        while let scalar = rest.popFirst() {
            switch scalar {
            case Self.sign("*"):
                // Two stars say no more than one.
                if elements.last != .star { elements.append(.star) }
            case Self.sign("?"): elements.append(.any)
            case Self.sign("[") where syntax == .shell:
                elements.append(Self.takeSet(from: &rest) ?? .scalar(scalar))
            case Self.sign("\\") where syntax == .shell:
                elements.append(.scalar(rest.popFirst() ?? scalar))
            default: elements.append(.scalar(scalar))
            }
        }
        if ignoresCase {
            elements = elements.map {
                if case .scalar(let scalar) = $0 { .scalar(Self.lowercased(scalar)) } else { $0 }
            }
        }
        self.elements = elements
        self.ignoresCase = ignoresCase
        wantsHidden = elements.first == .scalar(Self.sign("."))
    }

    /// Whether `bytes` holds a sign that means something in a pattern.
    package static func isPattern(_ bytes: [UInt8]) -> Bool {
        bytes.contains {
            $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[")
        }
    }

    /// Whether the whole of `name` is what the pattern describes.
    package func matches(_ name: [UInt8]) -> Bool {
        let name = Self.scalars(of: name)
        var position = 0
        var element = 0
        // Where to go on when what follows the last star does not fit: one character further.
        var afterStar: Int?
        var starPosition = 0
        while position < name.count {
            if element < elements.count, elements[element] == .star {
                element += 1
                afterStar = element
                starPosition = position
            } else if element < elements.count, accepts(elements[element], name[position]) {
                element += 1
                position += 1
            } else if let retry = afterStar {
                starPosition += 1
                position = starPosition
                element = retry
            } else {
                return false
            }
        }
        return elements[element...].allSatisfy { $0 == .star }
    }

    private func accepts(_ element: Element, _ scalar: UInt32) -> Bool {
        switch element {
        case .star: false
        case .any: true
        case .scalar(let wanted): wanted == (ignoresCase ? Self.lowercased(scalar) : scalar)
        case .set(let ranges, let isNegated):
            isNegated
                != ranges.contains {
                    $0.contains(scalar)
                        || ignoresCase
                            && ($0.contains(Self.lowercased(scalar))
                                || $0.contains(Self.uppercased(scalar)))
                }
        }
    }

    /// Takes what stands between brackets; the opening one is gone already.
    private static func takeSet(from rest: inout ArraySlice<UInt32>) -> Element? {
        var inner = rest
        var isNegated = false
        if let first = inner.first, first == sign("!") || first == sign("^") {
            isNegated = true
            inner = inner.dropFirst()
        }
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = true
        while let low = inner.popFirst() {
            // A closing bracket that comes first is one of the set.
            if low == sign("]"), !isFirst {
                rest = inner
                return .set(ranges, isNegated: isNegated)
            }
            isFirst = false
            var high = low
            if inner.first == sign("-"), let end = inner.dropFirst().first, end != sign("]") {
                high = end
                inner = inner.dropFirst(2)
            }
            if low <= high { ranges.append(low...high) }
        }
        return nil
    }

    /// The characters of a name; a byte that is not UTF-8 is a character of its own.
    private static func scalars(of bytes: [UInt8]) -> [UInt32] {
        var scalars: [UInt32] = []
        scalars.reserveCapacity(bytes.count)
        var parser = Unicode.UTF8.ForwardParser()
        var input = bytes.makeIterator()
        var index = 0
        while index < bytes.count {
            switch parser.parseScalar(from: &input) {
            case .valid(let encoded):
                scalars.append(UTF8.decode(encoded).value)
                index += encoded.count
            case .error(let length):
                // Above every scalar, so that nothing else is mistaken for it.
                for byte in bytes[index...].prefix(max(length, 1)) {
                    scalars.append(0x11_0000 + UInt32(byte))
                }
                index += max(length, 1)
            case .emptyInput: return scalars
            }
        }
        return scalars
    }

    private static func sign(_ scalar: Unicode.Scalar) -> UInt32 { scalar.value }

    private static func lowercased(_ scalar: UInt32) -> UInt32 {
        (sign("A")...sign("Z")).contains(scalar) ? scalar + 32 : scalar
    }

    private static func uppercased(_ scalar: UInt32) -> UInt32 {
        (sign("a")...sign("z")).contains(scalar) ? scalar - 32 : scalar
    }
}
