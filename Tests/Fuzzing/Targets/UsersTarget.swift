import Authentication
import FTPProtocol
import LinuxSystem

@testable import Portcullis

/// Files of users: whom a file names is found in it, and what is written is read again.
enum UsersTarget {
    static func run(_ input: [UInt8]) throws {
        try virtual(input)
        _ = try? PlainUserFile.read(input)
        let certificates = CertificateUserFile(input)
        try claim(certificates.problems.allSatisfy { isHarmless($0.why) }, "a problem is shown raw")
        let list = UserList(input, denies: true)
        try claim(
            list.names.allSatisfy { !$0.isEmpty && !list.admits($0) },
            "a listed user gets in"
        )
    }

    private static func virtual(_ input: [UInt8]) throws {
        let file = VirtualUserFile(input)
        let (users, problems) = file.read()
        try claim(
            VirtualUserFile(file.content).content == file.content,
            "written it is another file"
        )
        try claim(problems.allSatisfy { isHarmless($0.why) }, "a problem shows control characters")
        var rebuilt = VirtualUserFile()
        for entry in users {
            let user = entry.user
            try claim(VirtualUser.isAcceptable(name: user.name), "a name that is none")
            try claim(user.home.hasPrefix("/") || user.home.utf8.first == 0x2F, "a home elsewhere")
            let line = Array(user.line.utf8)
            try claim(!line.contains(0x0A) && !line.contains(0x0D), "a user on two lines")
            try claim((try? VirtualUser(line: line)) == user, "written it is another user")
            guard case .present(let found, _) = file.lookUp(user.name) else {
                throw Flaw(description: "a user of the file is not found")
            }
            try claim(found == user, "another user is found")
            _ = UserOptionCheck.problem(in: user.options.filter { !$0.contains("/") })
            rebuilt.put(user)
        }
        let copies = VirtualUserFile(rebuilt.content).read()
        try claim(copies.problems.isEmpty, "users that were written have problems")
        try claim(copies.users.map(\.user) == users.map(\.user), "users that were written differ")
        for entry in users { try claim(rebuilt.remove(entry.user.name), "a user that stays") }
        try claim(rebuilt.read().users.isEmpty, "users that were removed stay")
    }
}
