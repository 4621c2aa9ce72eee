internal import FTPProtocol

extension ConfigurationOption {
    /// The conversation on the control connection.
    static let messages: [ConfigurationOption] = [
        .text("ftpd_banner", sets: \.session.banner),
        .text("login_message", sets: \.session.loginMessage),
        .text("quit_message", sets: \.session.quitMessage),
        .text("banner_file") { (draft, value) in
            draft.bannerFile = value
            return .honoured
        },
        .toggle("dirmessage_enable", sets: \.files.showsMessages),
        .text("message_file") { (draft, value) in
            guard let value else { return .honoured }
            guard VirtualPath.root.appending(component: Array(value.utf8)) != nil else {
                return .refused(
                    why: "it is no name of a file in the directory that is entered",
                    mend: "write a name without slashes, such as .message"
                )
            }
            draft.configuration.files.messageFile = value
            return .honoured
        },
        .commands("cmds_allowed") { $0.configuration.session.allowedCommands = $1 },
        .commands("cmds_denied") { $0.configuration.session.deniedCommands = $1 ?? [] },
        .hostNames("host_names", sets: \.session.hostNames),
        .parsed("dir_aliases", sets: \.session.aliases, by: DirectoryAlias.list),
        .ignoredToggle(
            "async_abor_enable",
            why: "ABOR is always served, and needs no switch"
        ),
    ]

    /// A list of commands with commas between them.
    private static func commands(
        _ name: String,
        apply: @escaping @Sendable (inout ConfigurationDraft, Set<String>?) -> Void
    ) -> ConfigurationOption {
        .text(name) { (draft, value) in
            guard let value else {
                apply(&draft, nil)
                return .honoured
            }
            let commands = value.utf8.split(separator: UInt8(ascii: ",")).map {
                String(decoding: $0.trimmingBlanks(), as: UTF8.self).uppercased()
            }
            // A word that can be no command would be a restriction that never holds.
            if let word = commands.first(where: { !isVerb($0) }) {
                return .refused(
                    why: "`\(word)` is not the name of a command",
                    mend: "write names with commas between them, such as RETR,STOR"
                )
            }
            guard !commands.isEmpty else {
                return .refused(
                    why: "the list names no command",
                    mend: "write names with commas between them, or delete the line"
                )
            }
            apply(&draft, Set(commands))
            return .honoured
        }
    }

    /// A list of hosts with commas between them.
    static func hostNames(
        _ name: String,
        sets path: any ConfigurationPath<Set<String>>
    ) -> ConfigurationOption {
        .text(name) { (draft, value) in
            var names: Set<String> = []
            for word in value.map({ $0.utf8.split(separator: UInt8(ascii: ",")) }) ?? [] {
                let text = String(decoding: word.trimmingBlanks(), as: UTF8.self)
                guard let host = HostName(text) else {
                    return .refused(
                        why: "`\(text)` is not the name of a host",
                        mend: "write names with commas between them, such as ftp.example.org"
                    )
                }
                names.insert(host.text)
            }
            draft.configuration[keyPath: path] = names
            return .honoured
        }
    }

    /// Whether `word` has the form of a command; `P@SW` is one that old clients send.
    private static func isVerb(_ word: String) -> Bool {
        (3...6).contains(word.utf8.count)
            && word.utf8.allSatisfy {
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: "@")
            }
    }
}
