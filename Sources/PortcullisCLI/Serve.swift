internal import ArgumentParser
internal import Isolation
internal import LinuxSystem
internal import Portcullis

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
        try DaemonProcess.protectMemory()
        let report = try readConfiguration(file: config, settings: settings)
        try DaemonStart.dropInheritance()
        let server = try makeServer(report, verbosely: verbose)
        for port in server.localPorts {
            let addition =
                switch port.kind {
                case .explicitTLS: ""
                case .implicitTLS: ", implicit TLS"
                case .plain: ", plain FTP"
                }
            show("listening on \(port.address)\(addition)")
        }
        server.serveForever()
    }
}
