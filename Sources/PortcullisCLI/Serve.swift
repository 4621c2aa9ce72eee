internal import ArgumentParser
internal import Isolation
internal import LinuxSystem
internal import Portcullis
internal import TLS

/// `portcullis serve`.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve in the foreground.",
        discussion: """
            Prints one line "listening on ADDRESS:PORT" per socket once it accepts clients, with \
            ", implicit TLS" behind it where TLS comes first, and ", plain FTP" where clients may do \
            without. Ends with status 0 on SIGTERM, and with 78 when the configuration is bad.
            """
    )

    @Option(help: "A configuration file in vsftpd's syntax.")
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Set an option, after the file.", valueName: "option=value")
    )
    var settings: [String] = []

    @Flag(help: "Log every command, without passwords.")
    var verbose = false

    func run() throws {
        DaemonStart.leaveThreadCaches()
        TLSRehearsal.gather()
        try DaemonProcess.protectMemory()
        let report = try readConfiguration(file: config, settings: settings)
        try DaemonStart.dropInheritance()
        let server = try makeServer(report, verbosely: verbose)
        server.reread = { fixed, report in
            ConfigurationReader.read(file: config, settings: settings, keeping: fixed, of: report)
        }
        server.serveForever {
            for port in server.localPorts { show("listening on \(port.text)") }
            if let address = server.metricsAddress { show("metrics at http://\(address)/metrics") }
        }
    }
}
