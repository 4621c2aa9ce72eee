import Glibc
import Portcullis
import Testing

@Suite("The account that reads the network", .enabled(if: geteuid() == 0, "needs root"))
struct RootCheckTests {
    @Test(arguments: ["portcullis-no-such-account", "root"])
    func mustExistAndHaveNoPrivilege(user: String) throws {
        let fixture = try Fixture()
        let report = try fixture.read("nopriv_user=\(user)\n")
        #expect(report.problems.map(\.origin) == [fixture.line(3)])
        #expect(report.problems.first?.text.contains("owns nothing") == true)
    }
}
