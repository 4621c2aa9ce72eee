package import LinuxSystem

/// Whose certificate is whose (`cert_users_file`): a user and a name of a certificate on each line.
///
/// Blank lines, and lines that begin with `#`, say nothing.
package struct CertificateUserFile: Hashable, Sendable {
    /// The largest file that is read.
    private static let maximumByteCount = 4 << 20

    /// What a certificate may be called, each with what kind of name it is.
    private static let kinds = ["sha256", "subject", "cn", "email", "dns", "uri", "upn"]

    private var users: [String: Set<String>] = [:]

    /// What is wrong with which line.
    package private(set) var problems: [NumberedProblem] = []

    /// Reads the content of a file; a line that makes no sense names nobody.
    package init(_ content: [UInt8]) {
        let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let text = String(decoding: line, as: UTF8.self).trimmingBlanks
            guard !text.isEmpty, !text.isComment else { continue }
            guard let (user, identity) = Self.entry(text) else {
                problems.append(
                    NumberedProblem(line: index + 1, why: "not a user and sha256:, subject: …")
                )
                continue
            }
            users[identity, default: []].insert(user)
        }
    }

    /// Reads a file that nobody else could have written.
    package init(at path: String) throws(GuardedFileError) {
        self.init(try GuardedFile(at: path, maximumByteCount: Self.maximumByteCount).content)
    }

    /// The users to whom a certificate with these names belongs.
    package func users(of identities: [String]) -> Set<String> {
        identities.reduce(into: []) { $0.formUnion(users[$1] ?? []) }
    }

    private static func entry(_ text: String) -> (user: String, identity: String)? {
        let isBlank = { (scalar: Unicode.Scalar) in scalar == " " || scalar == "\t" }
        guard let blank = text.unicodeScalars.firstIndex(where: isBlank) else { return nil }
        let name = String(text[blank...]).trimmingBlanks
        guard let colon = name.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let kind = name[..<colon].lowercased()
        let value = String(name.unicodeScalars[colon...].dropFirst()).trimmingBlanks
        guard kinds.contains(kind), !value.isEmpty else { return nil }
        let user = String(text[..<blank])
        guard kind == "sha256" else { return (user, "\(kind):\(value)") }
        // As `openssl x509 -fingerprint` prints it, or without the colons.
        let digits = value.filter { $0 != ":" }.lowercased()
        guard digits.utf8.count == 64, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            return nil
        }
        return (user, "sha256:\(digits)")
    }
}
