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

    /// Says once more what was taken before.
    init(_ entry: ConfigurationReport.Entry) {
        (origin, name, value) = (entry.origin, entry.name, entry.value ?? "")
        problem = nil
    }
}

extension Collection<UInt8> {
    /// The bytes without blanks at both ends, those of other keyboards and of web pages among them.
    func trimmingBlanks() -> [UInt8] {
        var rest = Array(self)[...]
        while let first = rest.first {
            if first.isBlank {
                rest.removeFirst()
            } else if let wide = [UInt8].wideBlanks.first(where: rest.starts(with:)) {
                rest.removeFirst(wide.count)
            } else {
                break
            }
        }
        while let last = rest.last {
            if last.isBlank {
                rest.removeLast()
            } else if let wide = rest.wideBlankAtEnd {
                rest.removeLast(wide.count)
            } else {
                break
            }
        }
        return Array(rest)
    }
}

extension [UInt8] {
    /// The no-break space and the ideographic space, in UTF-8.
    fileprivate static let wideBlanks: [[UInt8]] = [[0xC2, 0xA0], [0xE3, 0x80, 0x80]]
}

extension ArraySlice<UInt8> {
    /// The blank beyond ASCII that the bytes end with.
    var wideBlankAtEnd: [UInt8]? {
        [UInt8].wideBlanks.first { suffix($0.count).elementsEqual($0) }
    }
}

extension UInt8 {
    /// Whether this is a space or a tab.
    var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}
