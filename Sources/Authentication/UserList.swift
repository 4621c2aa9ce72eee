/// The users of a `userlist_file`: those who may not log in, or the only ones who may.
package struct UserList: Hashable, Sendable {
    /// The names, as they are written.
    package let names: Set<String>
    private let denies: Bool

    /// Reads one name a line; blank lines and lines that begin with `#` name nobody.
    ///
    /// - Parameters:
    ///   - content: The file.
    ///   - denies: The names are those that are kept out (`userlist_deny`).
    package init(_ content: [UInt8], denies: Bool) {
        // Some editors begin a file with a byte order mark, which would stick to the first name.
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let content = content.starts(with: mark) ? content.dropFirst(3) : content[...]
        let lines = content.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        names = Set(
            lines.compactMap { line in
                let text = String(decoding: line, as: UTF8.self)
                let name = text.trimmingBlanks
                return name.isEmpty || name.isComment ? nil : name
            }
        )
        self.denies = denies
    }

    /// Whether `user` may go on to the password check.
    package func admits(_ user: String) -> Bool {
        names.contains(user) != denies
    }
}

extension String {
    // Not characters: a blank or a sign with an accent on it would be another one.

    /// The text without blanks at its ends.
    var trimmingBlanks: String {
        let isBlank = { (scalar: Unicode.Scalar) in [" ", "\t", "\r"].contains(scalar) }
        var text = unicodeScalars[...].drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return String(text)
    }

    /// Whether the line says nothing.
    var isComment: Bool { utf8.first == UInt8(ascii: "#") }
}
