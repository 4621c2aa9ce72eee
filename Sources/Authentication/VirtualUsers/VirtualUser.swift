package import FTPProtocol

/// A user of `virtual_users_file`: one line `name:hash:home:permissions:options`.
///
/// Home and options write blanks, `%`, `:` and control characters as `%` and two hexadecimal digits.
/// A `!` in front of the hash locks the user; it may also stand alone.
package struct VirtualUser: Hashable, Sendable {
    /// The login name.
    package let name: String

    /// What the password is held against; `nil` for a user who has none and cannot log in.
    package var hash: PasswordHash?

    /// Whether the user is kept out whatever the password.
    package var isLocked = false

    /// The directory that the user sees as `/`.
    package var home: String

    /// What the user may do, which the configuration can only narrow.
    package var permissions: Permissions

    /// Options of this user alone, each `name=value` as in the configuration file.
    package var options: [String] = []

    /// Describes a user.
    package init(name: String, hash: PasswordHash?, home: String, permissions: Permissions) {
        self.name = name
        self.hash = hash
        self.home = home
        self.permissions = permissions
    }

    /// Reads one line, without its end.
    ///
    /// - Throws: ``VirtualUserProblem``, which never quotes the hash.
    package init(line: some Collection<UInt8>) throws(VirtualUserProblem) {
        let fields = line.split(
            separator: UInt8(ascii: ":"),
            maxSplits: 4,
            omittingEmptySubsequences: false
        ).map { String(validating: $0, as: UTF8.self) }
        guard fields.allSatisfy({ $0 != nil }) else { throw .init("the line is not UTF-8") }
        let texts = fields.compactMap(\.self)
        guard texts.count >= 4 else {
            throw .init("the line is not name:hash:home:permissions:options")
        }
        guard Self.isAcceptable(name: texts[0]) else { throw .init("this is not a user's name") }
        name = texts[0]
        (hash, isLocked) = try Self.hash(texts[1])
        guard let home = texts[2].percentDecoded else {
            throw .init("a % in the home is not followed by two hexadecimal digits")
        }
        guard Self.isAcceptable(home: home) else { throw .init("the home does not begin with /") }
        self.home = home
        guard !texts[3].isEmpty, let permissions = Permissions(letters: texts[3]) else {
            throw .init("the permissions are not letters of \(Permissions.all.letters)")
        }
        self.permissions = permissions
        // Not characters: a blank with an accent on it would be another one, and end no option.
        let words = texts.count > 4 ? texts[4].utf8.split { $0 == 0x20 || $0 == 0x09 } : []
        for word in words {
            guard let option = String(Substring(word)).percentDecoded else {
                throw .init("a % in the options is not followed by two hexadecimal digits")
            }
            guard option.utf8.contains(UInt8(ascii: "=")) else {
                throw .init("an option is not written option=value")
            }
            options.append(option)
        }
    }

    /// The line, without its end.
    package var line: String {
        let lock = isLocked || hash == nil ? "!" : ""
        return [
            name, lock + (hash?.text ?? ""), home.percentEncoded, permissions.letters,
            options.map(\.percentEncoded).joined(separator: " "),
        ].joined(separator: ":")
    }

    /// Whether a user may have this name: 1 to 128 bytes, and nothing that means something else in
    /// a path, in this file or in a log.
    package static func isAcceptable(name: String) -> Bool {
        // Not characters: a sign with an accent is another one, and a line that begins with it is a
        // comment all the same. A byte order mark would be lost at the beginning of the file.
        let scalars = name.unicodeScalars
        guard let first = scalars.first, let last = scalars.last, name.utf8.count <= 128,
            ![" ", "\t", "#", ".", "\u{FEFF}"].contains(first), ![" ", "\t"].contains(last)
        else { return false }
        return name.unicodeScalars.allSatisfy {
            $0 != ":" && $0 != "/" && $0.properties.generalCategory != .control
        }
    }

    /// Whether a home is a whole path.
    package static func isAcceptable(home: String) -> Bool {
        home.utf8.first == UInt8(ascii: "/") && !home.utf8.contains(0)
    }

    private static func hash(
        _ text: String
    ) throws(VirtualUserProblem) -> (PasswordHash?, isLocked: Bool) {
        let isLocked = text.utf8.first == UInt8(ascii: "!")
        let rest = isLocked ? String(text.unicodeScalars.dropFirst()) : text
        if isLocked, rest.isEmpty { return (nil, true) }
        guard let hash = PasswordHash(rest) else {
            throw .init(
                rest.utf8.first == UInt8(ascii: "$")
                    ? "the hash is not whole, or of a method that no longer protects"
                    : "the second field is not a hash of crypt(5), and clear text is never taken"
            )
        }
        return (hash, isLocked)
    }
}

/// Why a line names no user.
package struct VirtualUserProblem: Error, Hashable, Sendable {
    /// A sentence without its end; holds no hash and no password.
    package let why: String

    init(_ why: String) {
        self.why = why
    }
}

extension String {
    /// The text with blanks, `%`, `:` and control characters as `%XX`.
    fileprivate var percentEncoded: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var output: [UInt8] = []
        for byte in utf8 {
            switch byte {
            case 0...0x20, 0x7F, UInt8(ascii: "%"), UInt8(ascii: ":"):
                output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
            default: output.append(byte)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The text that was meant, or `nil` when a `%` is followed by something else than two
    /// hexadecimal digits, or the result is not UTF-8.
    fileprivate var percentDecoded: String? {
        var output: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                output.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexadecimalValue,
                let low = rest.popFirst()?.hexadecimalValue
            else { return nil }
            output.append(high << 4 | low)
        }
        return String(validating: output, as: UTF8.self)
    }
}

extension UInt8 {
    /// The value of a hexadecimal digit.
    fileprivate var hexadecimalValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
