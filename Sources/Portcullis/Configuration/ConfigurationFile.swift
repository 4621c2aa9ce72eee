/// The syntax of vsftpd.conf, with what administrators write in it anyway.
///
/// Beyond vsftpd's own parser it takes blanks around `=`, comments behind a value, CR LF line ends
/// and a byte order mark, so that a file which was edited on another system does not fail.
enum ConfigurationFile {
    /// The largest file that is read, as in vsftpd.
    static let maximumByteCount = 100_000

    /// Reads every line that is neither empty nor a comment.
    ///
    /// Never fails as a whole: a line that cannot be read carries the reason.
    ///
    /// - Parameters:
    ///   - bytes: The content of the file.
    ///   - file: The file's name, for the origin of each line.
    /// - Returns: One assignment per line, in order.
    static func assignments(in bytes: [UInt8], file: String) -> [ConfigurationAssignment] {
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let body = bytes.starts(with: byteOrderMark) ? bytes.dropFirst(3) : bytes[...]
        let lines = body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var assignments: [ConfigurationAssignment] = []
        for (index, line) in lines.enumerated() {
            let content = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            let origin = "\(file.shownInOneLine):\(index + 1)"
            // A file with bare CRs would read as one long comment, and every wish in it be lost.
            guard !content.contains(UInt8(ascii: "\r")) else {
                assignments.append(
                    ConfigurationAssignment(
                        origin: origin,
                        problem: .refused(
                            why: "a carriage return stands inside the line",
                            mend: "save the file with LF or CR LF line ends"
                        )
                    )
                )
                continue
            }
            let text = content.trimmingBlanks()
            guard let first = text.first, first != UInt8(ascii: "#") else { continue }
            assignments.append(
                ConfigurationAssignment(origin: origin, line: withoutComment(text))
            )
        }
        return assignments
    }

    /// Cuts a comment behind the value.
    ///
    /// Only a `#` after a blank begins one: a `#` inside a path or a name belongs to it.
    private static func withoutComment(_ line: [UInt8]) -> ArraySlice<UInt8> {
        let hash = line.indices.dropFirst().first {
            line[$0] == UInt8(ascii: "#")
                && (line[$0 - 1].isBlank || line[..<$0].wideBlankAtEnd != nil)
        }
        return line[..<(hash ?? line.endIndex)]
    }
}

extension ConfigurationAssignment {
    /// Creates a line that holds nothing but a reason why it cannot be read.
    init(origin: String, problem: Disposition) {
        self.origin = origin
        name = ""
        value = ""
        self.problem = problem
    }
}
