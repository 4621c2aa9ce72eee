import LinuxSystem
import Portcullis
import Testing

@Suite("Users of a program's own")
struct ProgramUserTests {
    private func oneUser() throws -> DummyAuthorizer {
        let authorizer = DummyAuthorizer()
        try authorizer.addUser("user", password: "12345", home: "/srv/ftp")
        return authorizer
    }

    @Test func comeAndGo() throws {
        let authorizer = try oneUser()
        #expect(authorizer.hasUser("user"))
        #expect(authorizer.user("user")?.permissions == "elr")
        #expect(throws: ServerError.self) {
            try authorizer.addUser("user", password: "54321", home: "/srv/ftp")
        }
        authorizer.removeUser("user")
        #expect(!authorizer.hasUser("user"))
        try authorizer.addUser("user", password: "54321", home: "/srv/ftp")
    }

    @Test func needAnAbsoluteHomeAndAPasswordThatCanBeHashed() {
        let authorizer = DummyAuthorizer()
        #expect(throws: ServerError.self) {
            try authorizer.addUser("user", password: "12345", home: "srv")
        }
        let long = String(repeating: "x", count: 512)
        #expect(throws: ServerError.self) {
            try authorizer.addUser("user", password: long, home: "/srv")
        }
        for hash in ["", "12345", "$1$salt$3LN9iQvfN9Wcb4Bs8LBnG1", "*"] {
            #expect(throws: ServerError.self) {
                try authorizer.addUser(FTPUser("user", home: "/srv"), passwordHash: hash)
            }
        }
        #expect(!authorizer.hasUser("user"))
    }

    @Test(arguments: ["incoming", "/with blank", "/with,comma", ""])
    func haveNoOverrideInWhatIsNoDirectory(directory: String) throws {
        let authorizer = try oneUser()
        #expect(throws: ServerError.self) {
            try authorizer.overridePerm("user", directory: directory, permissions: "elw")
        }
        try authorizer.overridePerm("user", directory: "/incoming", permissions: "elw")
        #expect(authorizer.user("user")?.overrides.map(\.directory) == ["/incoming"])
        #expect(throws: ServerError.self) {
            try authorizer.overridePerm("nobody", directory: "/incoming", permissions: "elw")
        }
    }

    @Test func areReadFromAFileAllOrNone() throws {
        let directory = try TemporaryDirectory.make(prefix: "users")
        let hash = "$5$portcullis$HKWfW12w9Or//aWA4dflKQJOQGhfcg.ZHhVm18GCec4"
        let whole = "# two\n\none:\(hash):/srv/one:elr\ntwo:\(hash):/srv/t%20o:elrw:\n"
        let authorizer = DummyAuthorizer()
        try authorizer.addUsers(file: directory.write("whole", Array(whole.utf8)))
        #expect(authorizer.user("one")?.home == "/srv/one")
        #expect(authorizer.user("two")?.home == "/srv/t o")
        #expect(authorizer.user("two")?.permissions.letters == "elrw")
        let lines = [
            "three:\(hash):/srv", "three:12345:/srv:elr", "three:\(hash):/srv:xyz", "one",
            "three:!\(hash):/srv:elr", "three:\(hash):/srv:elr:local_umask=022",
        ]
        for (index, line) in lines.enumerated() {
            let text = "four:\(hash):/srv:elr\n\(line)\n"
            let file = try directory.write("broken\(index)", Array(text.utf8))
            #expect(throws: ServerError.self, "\(line)") { try authorizer.addUsers(file: file) }
            #expect(!authorizer.hasUser("four"))
        }
        #expect(throws: ServerError.self) { try authorizer.addUsers(file: "/nowhere/users") }
        directory.remove()
    }

    @Test func permissionsAreLetters() {
        #expect(FTPPermissions(letters: "elx") == nil)
        #expect(FTPPermissions(letters: "rle")?.letters == "elr")
        #expect(FTPPermissions.all.allows(.readOnly))
        #expect(!FTPPermissions.readOnly.allows(.all))
    }

    @Test func lettersThatMeanNothingInAProgramsTextAreItsMistake() async {
        await #expect(processExitsWith: .failure) {
            let permissions: FTPPermissions = "xyz"
            _ = permissions
        }
    }
}
