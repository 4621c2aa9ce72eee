/// The content of `virtual_users_file`: one user a line, blank lines, and comments behind a `#`.
package struct VirtualUserFile: Sendable {
    /// The largest file that is read: some ten thousand users.
    package static let maximumByteCount = 4 << 20

    /// Every line without its end, comments included.
    private var lines: [[UInt8]]

    /// Reads the content of a file; never fails as a whole.
    package init(_ content: [UInt8] = []) {
        // Some editors begin a file with a byte order mark, which would stick to the first name.
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        var body = content[...]
        // All of them: what is written must not be read as another file.
        while body.starts(with: mark) { body = body.dropFirst(3) }
        lines = body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { line in
                let end = line.lastIndex { $0 != UInt8(ascii: "\r") }
                return Array(line[..<(end.map { $0 + 1 } ?? line.startIndex)])
            }
        if lines.last?.isEmpty == true { lines.removeLast() }
    }

    /// The content, to be written.
    package var content: [UInt8] {
        Array(lines.map { $0 + [UInt8(ascii: "\n")] }.joined())
    }

    // MARK: Reading

    /// Every user whose line makes sense, and what is wrong with the other lines.
    package func read() -> (users: [NumberedUser], problems: [NumberedProblem]) {
        var users: [NumberedUser] = []
        var problems: [NumberedProblem] = []
        var seen: [[UInt8]: Int] = [:]
        for (index, line) in lines.enumerated() where !Self.isEmpty(line) {
            do throws(VirtualUserProblem) {
                // The first line of a name holds for logins, even where it cannot be read.
                if let end = line.firstIndex(of: UInt8(ascii: ":")) {
                    let name = Array(line[..<end])
                    if let first = seen[name] {
                        throw .init("the user stands in line \(first) already, and that line holds")
                    }
                    seen[name] = index + 1
                }
                let user = try VirtualUser(line: line)
                users.append(NumberedUser(line: index + 1, user: user))
            } catch {
                problems.append(NumberedProblem(line: index + 1, why: error.why))
            }
        }
        return (users, problems)
    }

    /// Looks one user up; the first line with the name holds.
    ///
    /// Looks at every line whether or not the user was found, so that the place in the file cannot
    /// be told by the time.
    package func lookUp(_ name: String) -> VirtualUserFinding {
        let isPossible = VirtualUser.isAcceptable(name: name)
        let wanted = Array(name.utf8) + [UInt8(ascii: ":")]
        var number: Int?
        var sample: PasswordHash?
        for (index, line) in lines.enumerated() {
            if sample == nil, !Self.isEmpty(line) { sample = try? VirtualUser(line: line).hash }
            if line.starts(with: wanted), isPossible, number == nil { number = index }
        }
        guard let number else { return .absent(sample: sample) }
        do throws(VirtualUserProblem) {
            return .present(try VirtualUser(line: lines[number]), sample: sample)
        } catch {
            return .malformed(NumberedProblem(line: number + 1, why: error.why), sample: sample)
        }
    }

    private static func isEmpty(_ line: [UInt8]) -> Bool {
        let first = line.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        return first == nil || first == UInt8(ascii: "#")
    }

    // MARK: Changing

    /// Puts a user in the place of the line with that name, or behind the last line.
    package mutating func put(_ user: VirtualUser) {
        let line = Array(user.line.utf8)
        if let index = index(of: user.name) {
            lines[index] = line
        } else {
            lines.append(line)
        }
    }

    /// Removes every line of a user.
    ///
    /// - Returns: Whether there was one.
    package mutating func remove(_ name: String) -> Bool {
        let before = lines.count
        while let index = index(of: name) { lines.remove(at: index) }
        return lines.count < before
    }

    private func index(of name: String) -> Int? {
        let wanted = Array(name.utf8) + [UInt8(ascii: ":")]
        return lines.firstIndex { $0.starts(with: wanted) && !Self.isEmpty($0) }
    }
}

/// A user with the line that it stands in.
package struct NumberedUser: Hashable, Sendable {
    /// The line, counted from 1.
    package let line: Int
    /// The user.
    package let user: VirtualUser
}

/// What is wrong with a line.
package struct NumberedProblem: Hashable, Sendable, CustomStringConvertible {
    /// The line, counted from 1.
    package let line: Int
    /// A sentence without its end.
    package let why: String

    /// Text for the administrator.
    package var description: String { "line \(line): \(why)" }
}

/// What a look into the file brought; `sample` is the first hash of the file.
package enum VirtualUserFinding: Hashable, Sendable {
    /// Nobody has this name.
    case absent(sample: PasswordHash?)
    /// The user.
    case present(VirtualUser, sample: PasswordHash?)
    /// The user's line makes no sense.
    case malformed(NumberedProblem, sample: PasswordHash?)
}
