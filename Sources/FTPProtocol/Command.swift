/// Why a line is no command.
package enum CommandError: Error, Hashable, Sendable {
    /// The line has no bytes.
    case empty

    /// The line does not begin with 1 to 16 ASCII letters or digits.
    case malformedVerb

    /// The argument holds NUL, CR or LF.
    case forbiddenByte
}

/// One line of the control connection, taken apart (RFC 959 section 5.3).
package struct Command: Hashable, Sendable {
    /// The verb as sent, in upper case.
    package let name: [UInt8]

    /// The verb's meaning, or `nil` for one we do not know.
    package let verb: Verb?

    /// Everything behind the first space, byte for byte.
    ///
    /// File names may begin or end with a space, and need not be UTF-8.
    package let argument: [UInt8]

    /// Takes a line apart.
    ///
    /// - Parameter line: The line without its end.
    /// - Throws: ``CommandError``.
    package init(line: [UInt8]) throws(CommandError) {
        guard !line.isEmpty else { throw .empty }
        let end = line.firstIndex(of: .space) ?? line.count
        let name = line[..<end]
        guard (1...16).contains(name.count),
            name.allSatisfy(\.isASCIILetterOrDigit) || Verb(name: Array(name)) != nil
        else {
            throw .malformedVerb
        }
        let argument = line[end...].dropFirst()
        guard !argument.contains(where: { $0 == 0 || $0 == .carriageReturn || $0 == .lineFeed })
        else { throw .forbiddenByte }
        self.name = name.uppercasedASCII
        self.verb = Verb(name: self.name)
        self.argument = Array(argument)
    }

    /// The command for a log: no password, no control characters, at most 512 bytes and `…`.
    ///
    /// A verb that only begins with PASS hides itself too: `PASSsecret` is a password typed without
    /// its space.
    package var logText: String {
        if let secretVerb { return "\(secretVerb) ****" }
        return LogText.escaped(line)
    }

    /// The command for vsftpd's log, with that one's words in place of a password.
    package var protocolText: [UInt8] {
        if let secretVerb { return Array("\(secretVerb) <password>".utf8) }
        return line
    }

    private var line: [UInt8] { argument.isEmpty ? name : name + [.space] + argument }

    private var secretVerb: String? {
        if name.starts(with: "PASS".utf8) { return "PASS" }
        switch verb {
        case .acct: return "ACCT"
        case .adat: return "ADAT"
        default: return nil
        }
    }
}
