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

@Suite("Users who are no accounts of the system", .enabled(if: geteuid() == 0, "needs root"))
struct VirtualUserConfigurationTests {
    private func read(_ users: String, mode: mode_t = 0o600) throws -> ConfigurationReport {
        let fixture = try Fixture()
        let file = try fixture.directory.write("users", users, mode: mode)
        return try fixture.read("virtual_users_file=\(file)\nguest_username=nobody\n")
    }

    @Test func aFileThatMakesSenseIsHonoured() throws {
        let report = try read("# nobody\namy:!:/srv:elr:local_umask=022\n")
        #expect(report.problems.map(\.text) == [] && report.warnings.map(\.text) == [])
    }

    @Test(arguments: [
        "amy", "amy:x:/srv:elr:", "amy:!:/srv:elr:nonsense=1", "amy:!:/srv:elr:listen_port=1",
        "amy:!:/srv:elr:local_umask=x", "bob:!:/:l:\nbob:!:/:l:",
    ])
    func aLineThatMakesNoSenseIsNamed(text: String) throws {
        let report = try read("# users\n\(text)\n")
        #expect(report.problems.map(\.name) == ["virtual_users_file"])
        let line = text.hasPrefix("bob") ? "line 3: " : "line 2: "
        #expect(report.problems.first?.text.contains(line) == true)
    }

    @Test func aFileThatOthersMayWriteIsRefused() throws {
        let report = try read("amy:!:/srv:elr:\n", mode: 0o620)
        #expect(report.problems.first?.text.contains("others than its owner") == true)
    }

    @Test func aFileThatIsNotThereIsRefused() throws {
        let report = try Fixture().read(
            "virtual_users_file=/nonexistent/users\nguest_username=nobody\n"
        )
        #expect(report.problems.map(\.name) == ["virtual_users_file"])
    }

    @Test func aFileThatNobodyIsAskedAboutIsIgnored() throws {
        let report = try Fixture().read("virtual_users_file=/nonexistent/users\nauth_order=pam\n")
        #expect(report.problems.isEmpty)
        #expect(report.entry("virtual_users_file")?.disposition.isIgnored == true)
    }
}
