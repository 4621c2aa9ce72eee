package import FTPProtocol
package import LinuxSystem

/// A user of a file that older scripts kept, with the password in clear.
package final class PlainUser {
    /// The login name.
    package let name: String
    /// The password.
    package let password: Secret
    /// What the user may do.
    package let permissions: Permissions
    /// The directory that the user sees as `/`.
    package let home: String

    fileprivate init(
        name: String,
        password: consuming Secret,
        permissions: Permissions,
        home: String
    ) {
        self.name = name
        self.password = password
        self.permissions = permissions
        self.home = home
    }
}

/// The plain user file of older scripts: `name password permissions home`, one user a line.
///
/// Fields are separated by blanks, or by colons in a line whose name is followed by a colon. The
/// home is the last field and may hold blanks. Lines that begin with `#` are comments.
package enum PlainUserFile {
    /// Reads every user, or says of every line that makes no sense why.
    ///
    /// - Throws: ``PlainUserProblems``, which quotes nothing of the file.
    package static func read(_ content: [UInt8]) throws(PlainUserProblems) -> [PlainUser] {
        var users: [PlainUser] = []
        var problems: [NumberedProblem] = []
        var seen: Set<[UInt8]> = []
        let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let line = line.trimmingBlanks
            guard let first = line.first, first != UInt8(ascii: "#") else { continue }
            do throws(VirtualUserProblem) {
                let user = try user(line)
                guard seen.insert(Array(user.name.utf8)).inserted else {
                    throw .init("the user stands in an earlier line already")
                }
                users.append(user)
            } catch {
                problems.append(NumberedProblem(line: index + 1, why: error.why))
            }
        }
        guard problems.isEmpty else { throw PlainUserProblems(problems: problems) }
        return users
    }

    private static func user(_ line: ArraySlice<UInt8>) throws(VirtualUserProblem) -> PlainUser {
        var rest = line
        // Whatever ends the name separates the other fields of the line, too.
        let end = line.first { $0 == UInt8(ascii: ":") || $0.isBlank }
        let isColon = end == UInt8(ascii: ":")
        func next() -> ArraySlice<UInt8> {
            let field = rest.prefix { isColon ? $0 != UInt8(ascii: ":") : !$0.isBlank }
            rest = rest[field.endIndex...]
            rest = isColon ? rest.dropFirst() : rest.drop(while: \.isBlank)
            return field
        }
        let (name, password, letters) = (next(), next(), next())
        guard !rest.isEmpty else { throw .init("the line is not name password permissions home") }
        guard let name = String(validating: name, as: UTF8.self),
            VirtualUser.isAcceptable(name: name)
        else { throw .init("this is not a user's name") }
        guard !password.isEmpty, !password.contains(0),
            password.count <= PasswordHash.maximumPasswordByteCount
        else { throw .init("the password is empty, too long, or holds a NUL") }
        guard let letters = String(validating: letters, as: UTF8.self), !letters.isEmpty,
            let permissions = Permissions(letters: letters)
        else { throw .init("the permissions are not letters of \(Permissions.all.letters)") }
        guard let home = String(validating: rest, as: UTF8.self),
            VirtualUser.isAcceptable(home: home)
        else { throw .init("the home does not begin with /") }
        return PlainUser(
            name: name,
            password: Secret(copying: password),
            permissions: permissions,
            home: home
        )
    }
}

/// Why a plain user file was not read.
package struct PlainUserProblems: Error, Hashable, Sendable {
    /// One for each line that makes no sense.
    package let problems: [NumberedProblem]
}

extension UInt8 {
    fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}

extension ArraySlice<UInt8> {
    /// The line without blanks and a carriage return at its ends.
    fileprivate var trimmingBlanks: ArraySlice<UInt8> {
        var line = drop(while: \.isBlank)
        while let last = line.last, last.isBlank || last == 0x0D { line.removeLast() }
        return line
    }
}
