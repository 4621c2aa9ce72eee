internal import ArgumentParser
internal import Authentication
internal import FTPProtocol
internal import LinuxSystem

/// The file that `portcullis passwd` works on.
struct UserStore {
    private let path: String

    /// Names the file.
    init(_ path: String) {
        self.path = path
    }

    /// Reads the file; one that does not exist holds nobody.
    func read() throws -> VirtualUserFile {
        do throws(GuardedFileError) {
            let limit = VirtualUserFile.maximumByteCount
            return VirtualUserFile(try GuardedFile(at: path, maximumByteCount: limit).content)
        } catch {
            guard error.isAbsent else { throw failure("\(path): \(error.reason)") }
            return VirtualUserFile()
        }
    }

    /// Reads the file, changes it and writes it, while no other writer may do so.
    func change(_ body: (inout VirtualUserFile) throws -> Void) throws {
        do {
            let lock = try AtomicFile.lock(path)
            var file = try read()
            try body(&file)
            for problem in file.read().problems { complain("\(path): \(problem)") }
            guard file.content.count <= VirtualUserFile.maximumByteCount else {
                throw failure("\(path): that would be more users than the server reads")
            }
            try lock.replace(with: file.content)
        } catch let error as SystemError {
            throw failure("\(path): \(error)")
        }
    }

    /// Removes a user.
    func delete(_ name: String) throws {
        try change { (file) in
            guard file.remove(name) else { throw failure("\(name) is not in \(path)") }
        }
    }

    /// Prints every user in one line, and what is wrong with other lines.
    func list() throws {
        let (users, problems) = try read().read()
        for entry in users {
            let user = entry.user
            let lock = user.isLocked ? "locked" : "open"
            let fields = [user.name, lock, user.permissions.letters, user.home] + user.options
            show(
                fields.map { LogText.escaped(Array($0.utf8), isQuoted: false) }.joined(
                    separator: "\t"
                )
            )
        }
        for problem in problems { complain("\(path): \(problem)") }
        guard problems.isEmpty else { throw ExitCode.failure }
    }

    /// Adds the users of a plain file, all or none.
    func importUsers(of oldFile: String) throws {
        let users = try plainUsers(of: oldFile)
        try change { (file) in
            var isNew = true
            for user in users {
                guard case .absent = file.lookUp(user.name) else {
                    complain("\(user.name) is in \(path) already")
                    isNew = false
                    continue
                }
            }
            guard isNew else { throw failure("nothing was imported") }
            // Hashes take their time by design.
            var progress = ProgressLine()
            defer { progress.clear() }
            for (number, user) in users.enumerated() {
                progress.show("hashing passwords: \(number + 1) of \(users.count)")
                guard let hash = PasswordHash.make(user.password) else {
                    throw failure("the password of \(user.name) cannot be hashed")
                }
                file.put(
                    VirtualUser(
                        name: user.name,
                        hash: hash,
                        home: user.home,
                        permissions: user.permissions
                    )
                )
            }
        }
        show("imported users: \(users.count)")
        show("\(oldFile) still holds their passwords in clear; remove it")
    }

    private func plainUsers(of oldFile: String) throws -> [PlainUser] {
        do {
            let limit = VirtualUserFile.maximumByteCount
            var content = try readFile(at: oldFile, maximumByteCount: limit)
            defer { content.wipe() }
            return try PlainUserFile.read(content)
        } catch let error as PlainUserProblems {
            for problem in error.problems { complain("\(oldFile): \(problem)") }
            throw failure("nothing was imported")
        } catch {
            throw failure("\(oldFile): \(error)")
        }
    }
}
