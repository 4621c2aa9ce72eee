internal import ArgumentParser
internal import LinuxSystem
internal import Portcullis

/// `portcullis check-config`.
struct CheckConfig: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Say of every option what becomes of it, and where that leaves you.",
        discussion: "Status 0 if serve would start with this file, else 78."
    )

    @Argument(help: "A configuration file in vsftpd's syntax.")
    var file: String

    func run() throws {
        try DaemonProcess.protectMemory()
        let report = ConfigurationReader.read(file: file, settings: [])
        for entry in report.entries { show(entry.text) }
        for line in SecurityPosture.lines(for: report.configuration) { show(line) }
        guard report.problems.isEmpty else { throw badConfiguration }
        do throws(ServerError) {
            for line in try Gateway.check(report) { show(line) }
        } catch {
            show(error.description)
            throw badConfiguration
        }
    }
}
