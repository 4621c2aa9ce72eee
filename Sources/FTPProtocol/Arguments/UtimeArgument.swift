/// The argument of SITE UTIME, in both forms that clients send.
package struct UtimeArgument: Hashable, Sendable {
    /// When the content shall have changed.
    package let modified: Timestamp

    /// What is changed, byte for byte.
    package let path: [UInt8]

    /// Reads `YYYYMMDDhhmm[ss] path`, or `path access-time modification-time creation-time UTC`.
    ///
    /// - Returns: `nil` for any other form, and for times that make no sense.
    package init?(argument: [UInt8]) {
        let words = argument.split(separator: .space, omittingEmptySubsequences: false)
        if words.count >= 5, Array(words[words.count - 1]).keyword == "UTC" {
            let times = words.suffix(4).dropLast().map(Self.time)
            let path = Array(words.dropLast(4).joined(separator: [UInt8.space]))
            if !path.isEmpty, times.allSatisfy({ $0 != nil }), let modified = times[1] {
                self.modified = modified
                self.path = path
                return
            }
        }
        guard words.count >= 2, let modified = Self.time(words[0]) else { return nil }
        let path = Array(argument[(words[0].count + 1)...])
        guard !path.isEmpty else { return nil }
        self.modified = modified
        self.path = path
    }

    private static func time(_ word: ArraySlice<UInt8>) -> Timestamp? {
        switch word.count {
        case 12: Timestamp(timeVal: Array(word) + Array("00".utf8))
        case 14: Timestamp(timeVal: Array(word))
        default: nil
        }
    }
}
