/// Why the argument of MFF was refused.
package enum FactChangesError: Error, Hashable, Sendable {
    /// It has not the form `fact=value;fact=value; path`, or a value makes no sense; reply 501.
    case malformed

    /// A fact is known and cannot be set, or is not known at all; reply 504.
    case unsupported
}

/// What MFF changes (draft-somers-ftp-mfxx section 5).
package struct FactChanges: Hashable, Sendable {
    /// When the content shall have changed (`Modify`).
    package private(set) var modified: Timestamp?

    /// The permission bits (`UNIX.mode`).
    package private(set) var mode: UInt16?

    /// The number of the group (`UNIX.group`).
    package private(set) var group: UInt32?

    /// What is changed, byte for byte.
    package let path: [UInt8]

    /// The names of all facts that can be set, for FEAT (section 5.3).
    package static let featText = "Modify;UNIX.group;UNIX.mode;"

    /// Takes an argument apart.
    ///
    /// - Throws: ``FactChangesError``. Nothing is changed then: the draft wants all or nothing.
    package init(argument: [UInt8]) throws(FactChangesError) {
        guard let space = argument.firstIndex(of: .space) else { throw .malformed }
        path = Array(argument[(space + 1)...])
        var facts = argument[..<space].split(
            separator: UInt8(ascii: ";"),
            omittingEmptySubsequences: false
        )
        // Each fact ends with a semicolon, the last one, too.
        guard facts.popLast()?.isEmpty == true, !facts.isEmpty, !path.isEmpty else {
            throw .malformed
        }
        for fact in facts {
            guard let sign = fact.firstIndex(of: UInt8(ascii: "=")) else { throw .malformed }
            try set(Array(fact[..<sign]).keyword, Array(fact[(sign + 1)...]))
        }
    }

    private mutating func set(_ name: String, _ value: [UInt8]) throws(FactChangesError) {
        switch name {
        case "MODIFY":
            guard modified == nil, let time = Timestamp(timeVal: value) else { throw .malformed }
            modified = time
        case "UNIX.MODE":
            guard mode == nil, let bits = OctalMode.parse(value) else { throw .malformed }
            mode = bits
        case "UNIX.GROUP":
            guard group == nil, let number = GroupNumber.parse(value) else { throw .malformed }
            group = number
        default: throw .unsupported
        }
    }

    /// The facts as the reply shows them (section 5.1).
    package var text: String {
        var text = ""
        if let modified { text += "Modify=\(modified.timeVal);" }
        if let group { text += "UNIX.group=\(group);" }
        if let mode { text += "UNIX.mode=\(OctalMode.text(mode, digits: 4));" }
        return text
    }
}

/// The number of a group, as MLST shows it.
package enum GroupNumber {
    /// Reads a number.
    ///
    /// - Returns: `nil` for anything but digits, and for the greatest number, which chown(2) takes
    ///   for "leave as it is".
    package static func parse(_ bytes: some Sequence<UInt8>) -> UInt32? {
        guard let number = DecimalNumber.parse(bytes), number < Int64(UInt32.max) else {
            return nil
        }
        return UInt32(number)
    }
}
