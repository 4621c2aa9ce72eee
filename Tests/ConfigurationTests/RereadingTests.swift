import Portcullis
import Testing

@Suite("A configuration that is read once more, for a server that runs")
struct RereadingTests {
    private static let fixed: Set<String> = ["listen_port", "max_clients", "xferlog_file"]

    /// What comes of `text` after `old`.
    private func reread(
        _ text: String,
        after old: String
    ) throws -> (report: ConfigurationReport, waiting: [String]) {
        let fixture = try Fixture()
        let before = try fixture.read(old)
        #expect(before.problems.map(\.text) == [])
        let content = Array((fixture.necessities + text).utf8)
        let file = try fixture.directory.write("portcullis.conf", content)
        return ConfigurationReader.read(
            file: file,
            settings: [],
            keeping: Self.fixed,
            of: before
        )
    }

    @Test func whatMayChangeIsTaken() throws {
        let (report, waiting) = try reread("max_per_ip=7\n", after: "max_per_ip=3\n")
        #expect(report.configuration.listening.maximumClientsPerAddress == 7)
        #expect(waiting.isEmpty)
    }

    @Test(arguments: [
        ("listen_port=2121\n", "listen_port=2100\n", 2121),
        ("listen_port=2121\n", "", 2121),
        ("", "listen_port=2100\n", 21),
        ("listen_port=2121\n", "listen_port=1\nlisten_port=2100\n", 2121),
    ])
    func whatTakesARestartStaysAndIsNamed(old: String, new: String, port: UInt16) throws {
        let (report, waiting) = try reread("max_per_ip=7\n\(new)", after: old)
        #expect(report.configuration.listening.port == port)
        #expect(report.configuration.listening.maximumClientsPerAddress == 7)
        #expect(waiting == ["listen_port"] && report.problems.isEmpty)
    }

    @Test func theSameValueInAnotherLineIsNoChange() throws {
        let (report, waiting) = try reread(
            "max_per_ip=7\nlisten_port=2121\n",
            after: "listen_port=2121\n"
        )
        #expect(waiting.isEmpty && report.configuration.listening.port == 2121)
    }

    @Test func aMistakeInWhatTakesARestartIsTold() throws {
        let (report, waiting) = try reread("listen_port=many\n", after: "listen_port=2121\n")
        #expect(report.problems.map(\.name) == ["listen_port"] && waiting.isEmpty)
    }

    @Test func linesWithoutSenseAreStillTold() throws {
        let (report, _) = try reread("listen_port=2100\nnonsense\n", after: "listen_port=2121\n")
        #expect(!report.problems.isEmpty)
    }
}
