import FTPProtocol
import LinuxSystem
import Testing

@testable import Authentication

@Suite("Plain user files of older scripts")
struct PlainUserFileTests {
    private func read(_ text: String) throws -> [String] {
        try PlainUserFile.read(Array(text.utf8)).map { user in
            let password = unsafe user.password.withBytes {
                unsafe String(decoding: $0, as: UTF8.self)
            }
            return "\(user.name)|\(password)|\(user.permissions.letters)|\(user.home)"
        }
    }

    @Test(arguments: [
        ("amy geheim elr /srv/amy", "amy|geheim|elr|/srv/amy"),
        ("  amy\t ge:heim  elr \t /srv/a  b \r\n", "amy|ge:heim|elr|/srv/a  b"),
        ("amy:ge heim:elr:/srv/a b:c\n", "amy|ge heim|elr|/srv/a b:c"),
    ])
    func aUserIsRead(text: String, user: String) throws {
        #expect(try read(text) == [user])
    }

    @Test func commentsAndBlankLinesNameNobody() throws {
        #expect(try read("# x\n\n  # y\na b l /\n") == ["a|b|l|/"])
        #expect(try read("") == [])
    }

    @Test(arguments: [
        "amy", "amy geheim", "amy geheim elr", "amy geheim /srv elr", "amy geheim elrx /srv",
        "amy geheim elr srv", ".amy geheim elr /srv", "amy::elr:/srv", "amy:geheim::/srv",
        "a/b geheim elr /srv", "a geheim elr /srv\na geheim elr /srv",
    ])
    func everyLineThatMakesNoSenseIsNamed(text: String) {
        do throws(PlainUserProblems) {
            _ = try PlainUserFile.read(Array("# first\n\(text)\n".utf8))
            Issue.record("was read")
        } catch {
            #expect(error.problems.count == 1)
            #expect(error.problems.allSatisfy { $0.line >= 2 && !$0.why.contains("geheim") })
        }
    }
}
