/// A language that a client asks for with LANG (RFC 2640 section 4).
package struct LanguageTag: Hashable, Sendable {
    /// The tag in upper case.
    package let text: String

    /// Reads a tag: words of up to eight letters or digits with hyphens between them, the first of
    /// letters alone (RFC 5646 section 2.1, without its registry).
    ///
    /// - Returns: `nil` when it has not that form.
    package init?(argument: [UInt8]) {
        guard argument.count <= 64 else { return nil }
        let words = argument.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        for (index, word) in words.enumerated() {
            guard (1...8).contains(word.count), word.allSatisfy(\.isASCIILetterOrDigit),
                index > 0 || !word.contains(where: { $0 <= UInt8(ascii: "9") })
            else { return nil }
        }
        text = argument.keyword
    }

    /// Whether replies are in this language, which is English of any place.
    package var isEnglish: Bool { text == "EN" || text.hasPrefix("EN-") }
}
