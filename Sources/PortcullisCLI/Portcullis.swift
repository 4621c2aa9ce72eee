internal import ArgumentParser
internal import Portcullis

/// The command `portcullis`.
@main
struct PortcullisCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "portcullis",
        abstract: "An FTPS-first hardened gateway.",
        version: ProgramVersion.text,
        subcommands: [
            Serve.self, CheckConfig.self, Options.self, DoctorCommand.self, Demo.self, Passwd.self,
            Audit.self, Who.self, Kick.self, Unlock.self, Reload.self, Status.self,
        ]
    )
}
