import Authentication
import Testing

@Suite("userlist_file")
struct UserListTests {
    private static let content = """
        # nobody logs in as these
        root

          daemon \t
        \t# a comment behind blanks
        #bin
        two words
        jürgen
        """

    private func list(_ text: String, denies: Bool) -> UserList {
        UserList(Array(text.utf8), denies: denies)
    }

    @Test(arguments: ["root", "daemon", "two words", "jürgen"])
    func aNameIsKeptOutOrLetIn(name: String) {
        #expect(!list(Self.content, denies: true).admits(name))
        #expect(list(Self.content, denies: false).admits(name))
    }

    @Test(arguments: [
        "", "bin", "#bin", "# a comment behind blanks", "nobody logs in as these", "Root", "roo",
        "root ", " daemon", "two", "rootx",
    ])
    func anyOtherNameIsTreatedTheOtherWay(name: String) {
        #expect(list(Self.content, denies: true).admits(name))
        #expect(!list(Self.content, denies: false).admits(name))
    }

    @Test(arguments: ["a\r\nb\r\n", "a\nb", "a\rb\r", "\r\n\r\na\r\n\r\n\r\nb"])
    func everyKindOfLineEndIsUnderstood(text: String) {
        let list = list(text, denies: true)
        #expect(!list.admits("a") && !list.admits("b"))
        #expect(list.admits("a\r") && list.admits("") && list.admits("ab"))
    }

    @Test func anEmptyListDeniesNobodyOrEverybody() {
        #expect(list("", denies: true).admits("a"))
        #expect(!list("", denies: false).admits("a"))
        #expect(!list("# only a comment\n", denies: false).admits("a"))
    }

    @Test func aCommentMayBeginWithAnAccent() {
        #expect(list("#\u{30F} nobody\n", denies: true).names == [])
    }

    @Test func bytesThatAreNotUTF8DoNotHideOtherNames() {
        let list = UserList([0xFF, 0x0A] + Array("a\n".utf8), denies: true)
        #expect(!list.admits("a"))
    }
}
