import Portcullis
import Testing

@Suite("The configuration file as a file")
struct FileTests {
    @Test func noFileAtAllGivesTheDefaults() {
        let report = ConfigurationReader.read(file: nil, settings: [])
        #expect(report.configuration.listening.port == 21)
        #expect(report.problems.contains { $0.name == "rsa_cert_file" })
        #expect(report.problems.allSatisfy { $0.origin == "configuration" })
    }

    @Test func aMissingFileIsNamed() throws {
        let path = "\(try TemporaryDirectory().path)/absent"
        let report = ConfigurationReader.read(file: path, settings: [])
        #expect(report.problems.first?.origin == path)
        #expect(report.problems.first?.text.contains("No such file or directory") == true)
    }

    @Test func aDirectoryIsNotAFile() throws {
        let directory = try TemporaryDirectory()
        let report = ConfigurationReader.read(file: directory.path, settings: [])
        #expect(report.problems.first?.text.contains("not a regular file") == true)
    }

    @Test func aNamedPipeDoesNotHangTheStart() throws {
        let directory = try TemporaryDirectory()
        let report = ConfigurationReader.read(file: try directory.makePipe("pipe"), settings: [])
        #expect(report.problems.first?.text.contains("not a regular file") == true)
    }

    @Test(arguments: [(100_000, false), (100_001, true)])
    func aFileMayHaveAHundredThousandBytes(count: Int, isRefused: Bool) throws {
        let fixture = try Fixture()
        let head = Array("\(fixture.necessities)listen_port=2121\n".utf8)
        let filling = [UInt8](repeating: UInt8(ascii: "#"), count: count - head.count)
        let report = try fixture.readAlone(head + filling)
        #expect(report.problems.contains { $0.text.contains("100000 bytes") } == isRefused)
        #expect((report.configuration.listening.port == 21) == isRefused)
    }

    @Test func aNULByteRefusesTheWholeFile() throws {
        let report = try Fixture().readAlone(Array("listen_port=2121\n".utf8) + [0])
        #expect(report.problems.first?.text.contains("NUL") == true)
        #expect(report.configuration.listening.port == 21)
    }

    @Test func aFileThatEverybodyMayWriteIsRemarkedOn() throws {
        let fixture = try Fixture()
        let path = try fixture.directory.write("open.conf", fixture.necessities, mode: 0o666)
        let report = ConfigurationReader.read(file: path, settings: [])
        #expect(report.problems.map(\.text) == [])
        #expect(report.warnings.map(\.origin) == [path])
    }
}
