/// The host that a client names with HOST (RFC 7151 section 3.1).
package struct HostName: Hashable, Sendable {
    /// The name in lower case without a dot at its end, or an address as it was written.
    package let text: String

    /// Reads the argument of HOST: a name, an IPv4 address, or an address between brackets.
    ///
    /// A name is labels of letters, digits, hyphens and underscores with dots between them
    /// (RFC 1123 section 2.1; underscores are against it and exist). Names in other scripts come as
    /// A-labels, which have that form.
    ///
    /// - Returns: `nil` when it has none of these forms.
    package init?(argument: [UInt8]) {
        let lower = argument.map {
            $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 32 : $0
        }
        var rest = lower[...]
        if rest.first == UInt8(ascii: "[") {
            guard rest.last == UInt8(ascii: "]"),
                IPAddress(bytes: rest.dropFirst().dropLast()) != nil
            else { return nil }
        } else {
            if rest.last == UInt8(ascii: ".") { rest = rest.dropLast() }
            guard rest.count <= 253 else { return nil }
            let labels = rest.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            guard labels.allSatisfy(Self.isLabel) else { return nil }
            // What ends in a number is an address, or nothing (RFC 3696 section 2).
            if let last = labels.last, DecimalNumber.isDigits(last), IPAddress(bytes: rest) == nil {
                return nil
            }
        }
        text = String(decoding: rest, as: UTF8.self)
    }

    /// Reads a name that an administrator wrote.
    package init?(_ text: String) {
        self.init(argument: Array(text.utf8))
    }

    private static func isLabel(_ label: ArraySlice<UInt8>) -> Bool {
        let hyphen = UInt8(ascii: "-")
        return (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen
            && label.allSatisfy {
                $0.isASCIILetterOrDigit || $0 == hyphen || $0 == UInt8(ascii: "_")
            }
    }
}
