internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import LinuxSystem
internal import Logging

// Commands of the program's own, gated like the built-in ones.

extension FTPHandler {
    /// The program's commands; none in the daemon.
    final var customCommands: [CustomCommand] { settings.embedding?.commands ?? [] }

    /// The program's command of a name, with `SITE` in front where that belongs to it.
    final func customCommand(_ name: String) -> CustomCommand? {
        customCommands.first { $0.name == name }
    }

    /// Why a command is not carried out, or `nil`.
    final func refusal(of command: CustomCommand, _ argument: [UInt8]) -> Reply? {
        if command.needsLogin, login == nil {
            return refusalOfLogin(of: userName) ?? Reply(530, "Please login with USER and PASS.")
        }
        if let needed = command.permissions?.base,
            login?.terms.permissions.isSuperset(of: needed) != true
        {
            return Reply(550, "Permission denied.")
        }
        switch command.argument {
        case .none where !argument.isEmpty:
            return Reply(501, "\(command.name) takes no argument.")
        case .required where argument.isEmpty:
            return Reply(501, "\(command.name) needs an argument.")
        case .none, .required, .optional:
            return nil
        }
    }

    /// Carries a command of the program's out.
    final func perform(_ command: CustomCommand, _ argument: [UInt8]) throws(SessionEnd) {
        do {
            try command.function(self, String(decoding: argument, as: UTF8.self))
        } catch let end as SessionEnd {
            throw end
        } catch {
            log(.error, "\(command.name) failed: \(LogText.escaped(Array("\(error)".utf8)))")
            try reply(550, "\(command.name) failed.")
        }
    }

    /// Carries a command out that was looked at before.
    final func carryOut(_ command: FTPCommand) throws(SessionEnd) {
        guard let verb = command.base.verb else {
            guard let custom = customCommand(command.verb) else { return }
            try perform(custom, command.base.argument)
            return
        }
        try perform(verb, command.base.argument)
    }
}
