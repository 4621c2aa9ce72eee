extension IPAddress {
    /// Reads an address in its usual notation.
    ///
    /// Strict, because what is read here decides who may connect: IPv4 is four decimal numbers
    /// without leading zeros (`010.0.0.1` means two different hosts to two different libraries);
    /// IPv6 follows RFC 4291 section 2.2, without brackets, scope or prefix length.
    package init?(_ text: String) {
        self.init(bytes: Array(text.utf8)[...])
    }

    init?(bytes: ArraySlice<UInt8>) {
        if bytes.contains(UInt8(ascii: ":")) {
            guard let address = IPAddress.parseV6(bytes) else { return nil }
            self = address
        } else {
            guard let value = IPAddress.parseV4(bytes) else { return nil }
            self = .v4(value)
        }
    }

    private static func parseV4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let parts = bytes.split(
            separator: UInt8(ascii: "."),
            maxSplits: 4,
            omittingEmptySubsequences: false
        )
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard let first = part.first, part.count <= 3 else { return nil }
            guard part.count == 1 || first != UInt8(ascii: "0") else { return nil }
            guard let number = DecimalNumber.parse(part), number <= 255 else { return nil }
            value = value << 8 | UInt32(truncatingIfNeeded: number)
        }
        return value
    }

    private static func parseV6(_ bytes: ArraySlice<UInt8>) -> IPAddress? {
        // The longest notation there is has 45 characters (RFC 4291 section 2.2, form 3).
        guard bytes.count <= 45 else { return nil }
        let groups: [UInt16]
        if let gap = indexOfGap(bytes) {
            // Of an embedded IPv4 address only the very end is the place.
            guard
                let before = parseGroups(bytes[..<gap], allowsDotted: false),
                let after = parseGroups(bytes[(gap + 2)...], allowsDotted: true),
                before.count + after.count < 8
            else {
                return nil
            }
            groups = before + Array(repeating: 0, count: 8 - before.count - after.count) + after
        } else {
            guard let all = parseGroups(bytes, allowsDotted: true), all.count == 8 else {
                return nil
            }
            groups = all
        }
        let high = groups[..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        let low = groups[4...].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        return .v6(high: high, low: low)
    }

    /// Where the first `::` is.
    ///
    /// A second one leaves an empty group behind, and parsing fails there.
    private static func indexOfGap(_ bytes: ArraySlice<UInt8>) -> Int? {
        let colon = UInt8(ascii: ":")
        return bytes.indices.dropLast().first { bytes[$0] == colon && bytes[$0 + 1] == colon }
    }

    private static func parseGroups(
        _ bytes: ArraySlice<UInt8>,
        allowsDotted: Bool
    ) -> [UInt16]? {
        guard !bytes.isEmpty else { return [] }
        let fields = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for field in fields {
            if allowsDotted, field.endIndex == bytes.endIndex, let value = parseV4(field) {
                groups.append(UInt16(truncatingIfNeeded: value >> 16))
                groups.append(UInt16(truncatingIfNeeded: value))
            } else {
                guard let group = parseGroup(field) else { return nil }
                groups.append(group)
            }
        }
        return groups
    }

    private static func parseGroup(_ field: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(field.count) else { return nil }
        var value: UInt16 = 0
        for byte in field {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}

extension IPAddress: CustomStringConvertible {
    /// The address in dotted decimal or in the form that RFC 5952 recommends.
    package var description: String {
        switch self {
        case .v4(let value):
            return IPAddress.dotted(value)
        case .v6(let high, let low):
            if case .v4(let value) = unmapped { return "::ffff:" + IPAddress.dotted(value) }
            let groups = [high, low].flatMap { half in
                [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> $0) }
            }
            return IPAddress.compressed(groups)
        }
    }

    private static func dotted(_ value: UInt32) -> String {
        "\(value >> 24).\(value >> 16 & 0xFF).\(value >> 8 & 0xFF).\(value & 0xFF)"
    }

    /// Shortens the longest run of zero groups, the first of equals (RFC 5952 section 4.2).
    private static func compressed(_ groups: [UInt16]) -> String {
        var longest = 0..<0
        var start = 0
        while start < groups.count {
            var end = start
            while end < groups.count, groups[end] == 0 { end += 1 }
            if end - start > longest.count { longest = start..<end }
            start = end + 1
        }
        func text(_ slice: ArraySlice<UInt16>) -> String {
            slice.map { String($0, radix: 16) }.joined(separator: ":")
        }
        // A single zero group stays written out (RFC 5952 section 4.2.2).
        guard longest.count >= 2 else { return text(groups[...]) }
        return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
    }
}
