import FTPProtocol
import LinuxSystem
import Testing

@testable import Authentication

/// The hash of `secret` by crypt(3) with SHA-512.
private let sha512 =
    "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p"
    + "5hVO1"

@Suite("Hashes of passwords")
struct PasswordHashTests {
    private func make(_ text: String) -> PasswordHash? {
        PasswordHash.make(Secret(copying: text.utf8))
    }

    private func matches(_ hash: PasswordHash, _ text: String) -> Bool {
        hash.matches(Secret(copying: text.utf8))
    }

    @Test func aNewHashIsOfYescryptAndMatchesItsPasswordAlone() throws {
        let hash = try #require(make("secret"))
        #expect(hash.text.hasPrefix("$y$"))
        #expect(matches(hash, "secret"))
        for wrong in ["", "Secret", "secre", "secret "] {
            #expect(!matches(hash, wrong))
        }
        #expect(PasswordHash(hash.text) == hash)
    }

    @Test func everyHashHasASaltOfItsOwn() throws {
        let one = try #require(make("secret"))
        #expect(one != make("secret"))
    }

    @Test(arguments: [
        "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA",
        "$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a",
        sha512,
    ])
    func hashesOfOtherMethodsAreTaken(text: String) throws {
        let hash = try #require(PasswordHash(text))
        #expect(matches(hash, "secret") && !matches(hash, "secreT"))
    }

    @Test(arguments: [
        "", "secret", "$", "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", "abJnggxhB/yWI",
        "$y$j9T$", "$6$saltsalt$", "$6$saltsalt$short", "$9$saltsalt$x", "*", "!",
        "$3$$8846f7eaee8fb117ad06bdd830b7586c", "_J9..rasmBYk8r9AiWNc",
    ])
    func whatIsNoHashOfAMethodThatProtectsIsNotTaken(text: String) {
        #expect(PasswordHash(text) == nil)
    }

    @Test func aPasswordThatIsTooLongHasNoHashAndMatchesNone() throws {
        let long = String(repeating: "a", count: PasswordHash.maximumPasswordByteCount)
        let hash = try #require(make(long))
        #expect(matches(hash, long))
        #expect(!matches(hash, long + "a"))
        #expect(make(long + "a") == nil)
    }
}

@Suite("Lines of virtual_users_file")
struct VirtualUserTests {
    private func problem(_ line: String) -> String? {
        do throws(VirtualUserProblem) {
            _ = try VirtualUser(line: Array(line.utf8))
            return nil
        } catch {
            return error.why
        }
    }

    @Test func aLineIsReadWhole() throws {
        let line = "amy:\(sha512):/srv/a%20b%3Ac:rle:local_umask=022 cmds_denied=SITE,%20DELE"
        let user = try VirtualUser(line: Array(line.utf8))
        #expect(user.name == "amy" && user.hash?.text == sha512 && !user.isLocked)
        #expect(user.home == "/srv/a b:c")
        #expect(user.permissions == .readOnly)
        #expect(user.options == ["local_umask=022", "cmds_denied=SITE, DELE"])
    }

    @Test(arguments: [
        "amy:\(sha512):/srv:elr:", "amy:!\(sha512):/srv/%25%0A:elradfmwMT:a=b c=%20",
        "jürgen m:!:/:l:",
    ])
    func whatIsWrittenIsRead(line: String) throws {
        let user = try VirtualUser(line: Array(line.utf8))
        #expect(user.line == line)
        #expect(try VirtualUser(line: Array(user.line.utf8)) == user)
    }

    @Test func aBlankWithAnAccentEndsAnOptionAllTheSame() throws {
        let user = try VirtualUser(line: Array("amy:!:/srv:elr:a=1 \u{30F}b=2".utf8))
        #expect(user.options == ["a=1", "\u{30F}b=2"])
        #expect(try VirtualUser(line: Array(user.line.utf8)) == user)
    }

    @Test func anAccentOnTheSignOfALockedUserIsPartOfTheHash() {
        #expect(problem("amy:!\u{30F}:/srv:elr") != nil)
    }

    @Test func aLineWithoutOptionsIsWhole() throws {
        #expect(try VirtualUser(line: Array("amy:!:/srv:elr".utf8)).options == [])
    }

    @Test(arguments: [
        "amy", "amy:!:/srv", ":!:/srv:elr:", ".amy:!:/srv:elr:", "a/b:!:/srv:elr:",
        " amy:!:/srv:elr:", "amy :!:/srv:elr:", "a\u{7}:!:/srv:elr:", "amy::/srv:elr:",
        "amy:secret:/srv:elr:", "amy:*:/srv:elr:", "amy:$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/:/:l:",
        "amy:!:srv:elr:", "amy:!::elr:", "amy:!:/srv%2:elr:", "amy:!:/srv%zz:elr:",
        "amy:!:/srv%00:elr:", "amy:!:/srv:elrx:", "amy:!:/srv::", "amy:!:/srv:elr:write_enable",
        "amy:!:/srv:elr:a=%F", "amy:!:/srv%FF:elr:", "\u{FEFF}amy:!:/srv:elr:",
        "#\u{301}amy:!:/srv:elr:", ".\u{301}amy:!:/srv:elr:", " \u{301}amy:!:/srv:elr:",
    ])
    func aLineThatMakesNoSenseSaysWhy(line: String) throws {
        let why = try #require(problem(line))
        #expect(!why.contains("secret") && !why.contains("$1$salt") && !why.isEmpty)
    }

    @Test func noBytesOfAnyValueTrapTheReader() {
        var generator = SystemRandomNumberGenerator()
        let sample = Array("amy:\(sha512):/srv%20:elr:local_umask=022 a=%41".utf8)
        for _ in 0..<5_000 {
            var line = sample
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: line.indices, using: &generator)
                line[index] = UInt8.random(in: .min ... .max, using: &generator)
            }
            guard let user = try? VirtualUser(line: line) else { continue }
            #expect((try? VirtualUser(line: Array(user.line.utf8))) == user)
        }
    }
}

@Suite("virtual_users_file")
struct VirtualUserFileTests {
    private static let content = """
        # users

        amy:!\(sha512):/srv/amy:elr:
          # indented
        bob:secret:/srv/bob:elr:
        amy:!:/srv/other:elr:
        zoe:!:/srv/zoe:elradfmw:
        """

    private func file(_ text: String = content) -> VirtualUserFile {
        VirtualUserFile(Array(text.utf8))
    }

    @Test func everyLineIsAUserAProblemOrAComment() {
        let (users, problems) = file().read()
        #expect(users.map(\.user.name) == ["amy", "zoe"])
        #expect(users.map(\.line) == [3, 7])
        #expect(problems.map(\.line) == [5, 6])
        #expect(problems.last?.why.contains("line 3") == true)
    }

    @Test func theFirstLineWithTheNameHolds() {
        guard case .present(let user, let sample) = file().lookUp("amy") else {
            Issue.record("not found")
            return
        }
        #expect(user.home == "/srv/amy" && sample?.text == sha512)
        guard case .malformed(let problem, _) = file().lookUp("bob") else {
            Issue.record("not malformed")
            return
        }
        #expect(problem.line == 5)
    }

    @Test(arguments: ["", "am", "amy:", "# users", "#", "Amy", "amy:!"])
    func nobodyElseIsFound(name: String) {
        guard case .absent(let sample) = file().lookUp(name) else {
            Issue.record("found")
            return
        }
        #expect(sample?.text == sha512)
    }

    @Test func aNameIsComparedByteForByte() {
        let composed = file("j\u{FC}:!:/srv:elr:\n")
        guard case .absent = composed.lookUp("ju\u{308}") else {
            Issue.record("found")
            return
        }
    }

    @Test func aChangeLeavesEveryOtherLineAsItWas() throws {
        var file = file()
        guard case .present(var user, _) = file.lookUp("zoe") else {
            Issue.record("not found")
            return
        }
        user.home = "/srv/z"
        file.put(user)
        file.put(try VirtualUser(line: Array("new:!:/srv/new:l:".utf8)))
        let expected =
            Self.content.replacing("/srv/zoe", with: "/srv/z") + "\nnew:!:/srv/new:l:\n"
        #expect(String(decoding: file.content, as: UTF8.self) == expected)
        #expect(file.remove("amy") && !file.remove("amy"))
        #expect(file.read().users.map(\.user.name) == ["zoe", "new"])
    }

    @Test(arguments: ["\r\n", "\n"])
    func everyKindOfLineEndIsUnderstood(end: String) {
        let users = file("\u{FEFF}a:!:/:l:\(end)b:!:/:l:\(end)").read().users
        #expect(users.map(\.user.name) == ["a", "b"])
    }
}
