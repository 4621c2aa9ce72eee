internal import ArgumentParser

/// The command `portcullis`.
@main
struct PortcullisCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "portcullis",
        abstract: "An FTPS-first hardened gateway.",
        subcommands: [Serve.self, CheckConfig.self, Demo.self, Passwd.self]
    )
}
