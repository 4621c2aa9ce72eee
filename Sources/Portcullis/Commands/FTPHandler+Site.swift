internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem
internal import Logging

// The commands behind SITE.

extension FTPHandler {
    final func site(_ argument: [UInt8]) throws(SessionEnd) {
        let words = argument.split(
            separator: UInt8(ascii: " "),
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        let rest = words.count > 1 ? [UInt8](words[1]) : []
        let name = words.first.map { [UInt8]($0).keyword } ?? ""
        if let custom = customCommand("SITE \(name)") {
            if let refusal = refusal(of: custom, rest) {
                try reply(refusal)
            } else {
                try perform(custom, rest)
            }
            return
        }
        guard let command = words.first.flatMap({ SiteCommand(name: [UInt8]($0)) }) else {
            try reply(500, "Unknown SITE command.")
            return
        }
        guard offers(command) else {
            try reply(.notImplemented)
            return
        }
        guard !isDenied(command) else {
            try reply(550, "Permission denied.")
            return
        }
        switch command.argument {
        case .none where !rest.isEmpty:
            try reply(501, "SITE \(command.rawValue) takes no argument.")
        case .required where rest.isEmpty:
            try reply(501, "SITE \(command.rawValue) needs an argument: \(command.syntax)")
        case .none, .required, .optional: try perform(command, rest)
        }
    }

    private func perform(_ command: SiteCommand, _ argument: [UInt8]) throws(SessionEnd) {
        if command != .cpto { copySource = nil }
        switch command {
        case .help: try siteHelp(argument)
        case .chmod: try changeMode(argument)
        case .chgrp: try changeGroup(argument)
        case .utime: try changeTime(argument)
        case .symlink: try makeSymbolicLink(argument)
        case .mkdir: try makeDirectories(argument)
        case .rmdir: try removeSiteDirectory(argument)
        case .cpfr: try copyFrom(argument)
        case .cpto: try copyTo(argument)
        case .umask: try setFileModeMask(argument)
        case .idle: try setIdleTimeout(argument)
        case .alias: try nameAliases()
        case .who: try nameSessions()
        case .quota: try showQuota()
        case .time: try reply(211, "\(Timestamp(seconds: secondsSinceEpoch()).timeVal) UTC")
        }
    }

    private func siteHelp(_ argument: [UInt8]) throws(SessionEnd) {
        guard argument.isEmpty else {
            if let custom = customCommand("SITE \(argument.keyword)") {
                try reply(214, custom.helpText)
                return
            }
            guard let command = SiteCommand(name: argument), serves(command) else {
                try reply(501, "No such SITE command.")
                return
            }
            try reply(214, "\(command.syntax): \(command.summary)")
            return
        }
        let custom = customCommands.filter { $0.name.hasPrefix("SITE ") }.map(\.helpText)
        let lines =
            SiteCommand.allCases.filter(serves).map { "\($0.syntax): \($0.summary)" } + custom
        try reply(Reply(214, lines: ["SITE commands:"] + lines + ["Help OK."]))
    }

    private func changeMode(_ argument: [UInt8]) throws(SessionEnd) {
        try changeAttribute(.chmod, argument, "an octal mode", OctalMode.parse) {
            fileSystem,
            path,
            mode throws(FileError) in
            try fileSystem.setMode(of: path, to: mode)
        }
    }

    private func changeGroup(_ argument: [UInt8]) throws(SessionEnd) {
        try changeAttribute(.chgrp, argument, "the number of a group", GroupNumber.parse) {
            fileSystem,
            path,
            group throws(FileError) in
            try fileSystem.setGroup(of: path, to: group)
        }
    }

    /// Carries out a command whose argument is a value and a path.
    private func changeAttribute<Value>(
        _ command: SiteCommand,
        _ argument: [UInt8],
        _ wanted: String,
        _ parse: (ArraySlice<UInt8>) -> Value?,
        _ operation: (any FileSystem, VirtualPath, Value) throws(FileError) -> Void
    ) throws(SessionEnd) {
        let words = argument.split(separator: UInt8(ascii: " "), maxSplits: 1)
        guard words.count == 2, let value = parse(words[0]) else {
            try reply(501, "SITE \(command.rawValue) takes \(wanted) and a path.")
            return
        }
        guard configuration.files.allowsChangeMode else {
            try reply(550, "Permission denied.")
            return
        }
        let mode = value as? UInt16 ?? 0
        try changeSite(command, [UInt8](words[1]), mode: mode) {
            fileSystem,
            path throws(FileError) in
            try operation(fileSystem, path, value)
        }
    }

    private func changeTime(_ argument: [UInt8]) throws(SessionEnd) {
        guard let change = UtimeArgument(argument: argument) else {
            try reply(501, "SITE UTIME takes YYYYMMDDhhmm[ss] in UTC and a path.")
            return
        }
        guard configuration.files.allowsTimeChange else {
            try reply(550, "Permission denied.")
            return
        }
        try changeSite(.utime, change.path) { fileSystem, path throws(FileError) in
            try fileSystem.setModificationTime(of: path, to: change.modified.seconds)
        }
    }

    /// Makes a link as symlink(2) does: a relative target counts from the link's directory.
    private func makeSymbolicLink(_ argument: [UInt8]) throws(SessionEnd) {
        guard let words = QuotedWord.pair(argument) else {
            try reply(501, "SITE SYMLINK takes a target and a path; quote names with spaces.")
            return
        }
        guard let link = try path(words.second) else { return }
        guard let target = try? link.parent.resolving(words.first) else {
            try reply(501, "Bad target.")
            return
        }
        try changeSite(.symlink, words.second) { fileSystem, path throws(FileError) in
            try fileSystem.makeSymbolicLink(path, to: target)
        }
    }

    /// Makes a directory; with `-p` those above it as well, and one that exists is no error.
    private func makeDirectories(_ argument: [UInt8]) throws(SessionEnd) {
        let flag = Array("-p ".utf8)
        guard argument.starts(with: flag) else {
            try changeSite(.mkdir, argument) { fileSystem, path throws(FileError) in
                try fileSystem.makeDirectory(path)
            }
            return
        }
        try changeSite(.mkdir, Array(argument.dropFirst(flag.count))) {
            fileSystem,
            path throws(FileError) in
            var above = VirtualPath.root
            for component in path.components {
                guard let next = above.appending(component: component) else { throw .nameTooLong }
                do throws(FileError) {
                    try fileSystem.makeDirectory(next)
                } catch {
                    guard error == .exists else { throw error }
                }
                above = next
            }
            try fileSystem.enterDirectory(path)
        }
    }

    private func removeSiteDirectory(_ argument: [UInt8]) throws(SessionEnd) {
        try changeSite(.rmdir, argument) { fileSystem, path throws(FileError) in
            try fileSystem.removeDirectory(path)
        }
    }

    private func setFileModeMask(_ argument: [UInt8]) throws(SessionEnd) {
        guard !argument.isEmpty else {
            let mask = fileModeMask ?? configuration.files.umask
            try reply(200, "Your current UMASK is \(OctalMode.text(mask, digits: 3))")
            return
        }
        guard let mask = OctalMode.parse(argument), mask <= 0o777 else {
            try reply(501, "SITE UMASK takes three octal digits.")
            return
        }
        let result: Void? = try attempt(550, "SITE UMASK") { fileSystem throws(FileError) in
            try fileSystem.setFileModeMask(mask)
        }
        guard result != nil else { return }
        fileModeMask = mask
        try reply(200, "UMASK set to \(OctalMode.text(mask, digits: 3))")
    }

    /// Shortens the idle timeout, or sets it back; never beyond what the administrator allows.
    private func setIdleTimeout(_ argument: [UInt8]) throws(SessionEnd) {
        let longest = configuration.timeouts.idle.components.seconds
        guard !argument.isEmpty else {
            let present = (idleTimeout ?? configuration.timeouts.idle).components.seconds
            try reply(200, "The idle timeout is \(present) seconds, at most \(longest).")
            return
        }
        guard let seconds = DecimalNumber.parse(argument), (10...max(10, longest)).contains(seconds)
        else {
            try reply(501, "SITE IDLE takes 10 to \(longest) seconds.")
            return
        }
        idleTimeout = .seconds(seconds)
        try reply(200, "The idle timeout is \(seconds) seconds.")
    }

    private func changeSite(
        _ command: SiteCommand,
        _ argument: [UInt8],
        mode: UInt16 = 0,
        _ operation: (any FileSystem, VirtualPath) throws(FileError) -> Void
    ) throws(SessionEnd) {
        try change("SITE \(command.rawValue)", argument, mode: mode, operation) { _ in
            Reply(200, "SITE \(command.rawValue) command ok.")
        }
    }
}
