internal import FTPProtocol

/// A command of the program's own.
///
/// ```swift
/// settings.commands = [
///     CustomCommand("SITE USAGE", needs: "l", argument: .none, help: "Tell how much is stored.") {
///         handler, argument in
///         try handler.respond(200, "…")
///     }
/// ]
/// ```
///
/// It is gated like the built-in ones before its function is called: by the login, by the user's
/// permissions and by its argument. HELP, or SITE HELP, shows it.
public struct CustomCommand: Sendable {
    /// What stands behind the command.
    public enum Argument: Sendable, Hashable {
        /// Nothing may (501).
        case none
        /// Something may.
        case optional
        /// Something must (501).
        case required
    }

    /// The command in upper case; behind SITE, `SITE` and a space stand in front.
    public let name: String

    /// What the user has to be allowed (550 otherwise).
    public let permissions: FTPPermissions?

    /// What stands behind the command.
    public let argument: Argument

    /// How the argument is written, for HELP, such as `path`.
    public let syntax: String

    /// What the command does, for HELP.
    public let help: String

    /// Whether the user has to be logged in (530 otherwise).
    public let needsLogin: Bool

    /// What FEAT announces (RFC 2389), or `nil` for nothing.
    public let feature: String?

    /// Carries the command out: sends one final reply (``FTPHandler/respond(_:_:)``).
    ///
    /// Called on the session's own thread or process with the handler and the argument. ``SessionEnd``
    /// ends the session; of any other error the client learns that the command failed (550).
    public let function: @Sendable (FTPHandler, String) throws -> Void

    /// Describes a command.
    public init(
        _ name: String,
        needs permissions: FTPPermissions? = nil,
        argument: Argument = .optional,
        syntax: String = "",
        help: String,
        needsLogin: Bool = true,
        feature: String? = nil,
        function: @escaping @Sendable (FTPHandler, String) throws -> Void
    ) {
        self.name = name.uppercased()
        self.permissions = permissions
        self.argument = argument
        self.syntax = syntax
        self.help = help
        self.needsLogin = needsLogin
        self.feature = feature
        self.function = function
    }

    /// The line of HELP.
    var helpText: String { (syntax.isEmpty ? name : "\(name) \(syntax)") + ": \(help)" }

    /// Refuses commands that could not be called, or that would hide another.
    static func check(_ commands: [CustomCommand]) throws(ServerError) {
        var names: Set<String> = []
        for command in commands {
            let words = command.name.split(separator: " ", omittingEmptySubsequences: false)
            let isSite = words.count == 2 && words[0] == "SITE"
            let word = Array((words.last ?? "").utf8)
            guard isSite || words.count == 1, (1...16).contains(word.count),
                word.allSatisfy(\.isASCIILetterOrDigit)
            else {
                throw ServerError(
                    "commands: `\(command.name)` is no command: write up to 16 letters and digits,"
                        + " with SITE and a space in front or without"
                )
            }
            let isTaken = isSite ? SiteCommand(name: word) != nil : Verb(name: word) != nil
            guard !isTaken, names.insert(command.name).inserted else {
                throw ServerError(
                    "commands: there is a command \(command.name) already: choose another name,"
                        + " or override processCommand"
                )
            }
        }
    }
}
