/// One line that sets an option, or that fails to.
struct ConfigurationAssignment: Sendable {
    /// Where it was written: `FILE:LINE` or `--set`.
    let origin: String

    /// The option's name; empty when the line holds none.
    let name: String

    /// What stands behind the `=`, without blanks around it.
    let value: String

    /// Why the line cannot be read at all.
    let problem: Disposition?

    /// Reads `name=value`, with blanks allowed around both.
    ///
    /// - Parameters:
    ///   - origin: Where the line was written.
    ///   - line: Without its line end and without a comment.
    init(origin: String, line: some Collection<UInt8>) {
        self.origin = origin
        let line = line.trimmingBlanks()
        guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
            (name, value) = ("", "")
            problem = .refused(
                why: "this line is not an assignment",
                mend: "write name=value, or put a # in front"
            )
            return
        }
        let name = line[..<equals].trimmingBlanks()
        let value = line[equals...].dropFirst().trimmingBlanks()
        guard
            let name = String(validating: name, as: UTF8.self),
            let value = String(validating: value, as: UTF8.self)
        else {
            self.name = String(decoding: name, as: UTF8.self)
            self.value = ""
            problem = .refused(why: "the line is not UTF-8", mend: "save the file as UTF-8")
            return
        }
        self.name = name
        self.value = value
        guard !name.isEmpty else {
            problem = .refused(
                why: "there is no name before the =",
                mend: "write name=value"
            )
            return
        }
        guard !line.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }) else {
            problem = .refused(
                why: "the line holds a control character",
                mend: "delete it and type the line anew"
            )
            return
        }
        problem = nil
    }
}

extension Collection<UInt8> {
    /// The bytes without blanks at both ends.
    func trimmingBlanks() -> [UInt8] {
        let head = drop(while: \.isBlank)
        let length = Array(head).lastIndex { !$0.isBlank }.map { $0 + 1 } ?? 0
        return Array(head.prefix(length))
    }
}

extension UInt8 {
    /// Whether this is a space or a tab.
    var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}
