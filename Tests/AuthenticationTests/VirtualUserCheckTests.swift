import FTPProtocol
import LinuxSystem
import Testing

@testable import Authentication

@Suite("What is told of a look into virtual_users_file")
struct VirtualUserCheckTests {
    private static let samples: [VirtualUserCheck] = [
        .right(home: "/srv/a b", permissions: .readOnly, options: ["local_umask=022", "x="]),
        .right(home: "/", permissions: [], options: []),
        .unknown, .wrong, .denied(rule: "locked"), .denied(rule: "none", isGuess: true),
        .unavailable(reason: "line 3: nonsense"),
    ]

    @Test(arguments: samples)
    func whatIsWrittenIsRead(check: VirtualUserCheck) throws {
        #expect(try VirtualUserCheck(decoding: check.encoded) == check)
    }

    @Test(arguments: samples)
    func everyCutAndEveryByteTooManyIsRefused(check: VirtualUserCheck) {
        let whole = check.encoded
        for count in 0..<whole.count {
            #expect(throws: MessageError.truncated) {
                try VirtualUserCheck(decoding: [UInt8](whole.prefix(count)))
            }
        }
        #expect(throws: MessageError.trailingBytes(count: 1)) {
            try VirtualUserCheck(decoding: whole + [0])
        }
    }

    private func check(
        _ content: String,
        _ name: String,
        _ password: String
    ) throws
        -> VirtualUserCheck
    {
        let place = try TemporaryDirectory.make(prefix: "portcullis-users-")
        let path = try place.write("users", Array(content.utf8))
        let check = VirtualUserCheck(path, name, Secret(copying: password.utf8))
        place.remove()
        return check
    }

    @Test func onlyTheRightPasswordOfAUserWhoIsNotLockedIsRight() throws {
        let made = PasswordHash.make(Secret(copying: "right".utf8))
        let hash = try #require(made).text
        let content =
            "amy:\(hash):/srv:elr:a=b\nbob:!\(hash):/srv:elr:\nzoe:!:/srv:elr:\neve:x:/:l:\n"
        #expect(
            try check(content, "amy", "right")
                == .right(home: "/srv", permissions: .readOnly, options: ["a=b"])
        )
        #expect(try check(content, "amy", "wrong") == .wrong)
        #expect(try check(content, "amy", "") == .wrong)
        #expect(try check(content, "bob", "wrong") == .wrong)
        #expect(try check(content, "bob", "right") == .denied(rule: "the user is locked"))
        // No password is right there, and whoever guesses at it is not told by what counts.
        #expect(
            try check(content, "zoe", "right")
                == .denied(rule: "the user has no password", isGuess: true)
        )
        #expect(try check(content, "nobody", "right") == .unknown)
        #expect(try check(content, "", "right") == .unknown)
        guard case .unavailable(let reason) = try check(content, "eve", "x") else {
            Issue.record("eve is known")
            return
        }
        #expect(reason.hasPrefix("line 4: "))
    }

    @Test func aFileThatIsNotThereLetsNobodyIn() {
        let password = Secret(copying: "x".utf8)
        let check = VirtualUserCheck("/nonexistent/users", "amy", password)
        guard case .unavailable = check else {
            Issue.record("not unavailable")
            return
        }
    }
}
