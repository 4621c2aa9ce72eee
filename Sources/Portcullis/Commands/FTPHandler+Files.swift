internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem
internal import Logging

// Commands on files and directories that need no data connection.

extension FTPHandler {
    /// The path that an argument names, or `nil` after a reply that says why there is none.
    final func path(_ argument: [UInt8]) throws(SessionEnd) -> VirtualPath? {
        do throws(VirtualPathError) {
            let path = try workingDirectory.resolving(expandingTilde(argument))
            audit { action in if action.path == nil { action.path = path } }
            return path
        } catch {
            switch error {
            case .empty: try reply(501, "A path is needed.")
            case .forbiddenByte: try reply(501, "Forbidden byte in path.")
            case .tooLong: try reply(501, "Path too long.")
            }
            return nil
        }
    }

    /// Carries out an operation on a path, and replies why when it fails.
    ///
    /// - Parameters:
    ///   - code: The reply code of a failure that is the client's to mend.
    ///   - verb: The command, for the log.
    ///   - body: The operation.
    /// - Returns: What `body` returned, or `nil` after a failure.
    /// - Throws: ``SessionEnd`` when the reply cannot be sent or the Agent is gone.
    final func attempt<Result>(
        _ code: UInt16,
        _ verb: String,
        _ body: (any FileSystem) throws(FileError) -> Result
    ) throws(SessionEnd) -> Result? {
        guard let login else { throw .processGone }
        do throws(FileError) {
            return try body(login.fileSystem)
        } catch {
            try refuse(error, code, verb)
            return nil
        }
    }

    /// Replies why an operation failed.
    final func refuse(_ error: FileError, _ code: UInt16, _ verb: String) throws(SessionEnd) {
        if error == .unavailable { throw .processGone }
        log(.info, "\(verb) refused: \(error)")
        switch error {
        case .noSpace: try reply(452, error.text)
        case .tooLarge, .overQuota, .overFileQuota: try reply(552, error.text)
        case .busy, .tooManyOpen: try reply(450, error.text)
        case .inputOutput: try reply(451, error.text)
        default: try reply(code, error.text)
        }
    }

    final func printWorkingDirectory() throws(SessionEnd) {
        try reply(257, "\(quoting: workingDirectory) is the current directory")
    }

    /// Changes something at the path that an argument names, and tells how it went.
    final func change(
        _ verb: String,
        _ argument: [UInt8],
        mode: UInt16 = 0,
        _ operation: (any FileSystem, VirtualPath) throws(FileError) -> Void,
        done: (VirtualPath) -> Reply
    ) throws(SessionEnd) {
        guard let path = try path(argument) else { return }
        audit { action in if action.kind == .changeMode { action.mode = mode } }
        let result: Void? = try attempt(550, verb) { fileSystem throws(FileError) in
            try operation(fileSystem, path)
        }
        record(verb, path, isDone: result != nil) { $0.mode = mode }
        guard result != nil else { return }
        logAction("\(verb) \(path.quoted)")
        try reply(done(path))
    }

    /// CWD; alone it leads to the root, as with pyftpdlib.
    final func changeDirectory(_ argument: [UInt8]) throws(SessionEnd) {
        guard let path = try argument.isEmpty ? .root : path(argument) else { return }
        let alias = configuration.session.aliases.first { Array($0.name.utf8) == argument }
        let entered = try attempt(550, "CWD") { fileSystem throws(FileError) in
            do throws(FileError) {
                try fileSystem.enterDirectory(path)
                return path
            } catch {
                // What is really there comes before what it might stand for.
                guard error == .notFound, let alias else { throw error }
                try fileSystem.enterDirectory(alias.directory)
                return alias.directory
            }
        }
        guard let entered else { return }
        workingDirectory = entered
        let message = try takeDirectoryMessage()
        try reply(Reply(250, lines: message + ["Directory successfully changed."]))
    }

    /// SITE ALIAS: the names that CWD takes besides those of directories.
    final func nameAliases() throws(SessionEnd) {
        let aliases = configuration.session.aliases
        guard !aliases.isEmpty else {
            try reply(214, "There are no aliases.")
            return
        }
        let lines = aliases.map { "\($0.name) \($0.directory.text)" }
        try reply(Reply(214, lines: ["Aliases for CWD:"] + lines + ["End"]))
    }

    final func makeDirectory(_ argument: [UInt8]) throws(SessionEnd) {
        try change("MKD", argument) { fileSystem, path throws(FileError) in
            try fileSystem.makeDirectory(path)
        } done: {
            Reply(257, "\(quoting: $0) created")
        }
    }

    final func removeDirectory(_ argument: [UInt8]) throws(SessionEnd) {
        try change("RMD", argument) { fileSystem, path throws(FileError) in
            try fileSystem.removeDirectory(path)
        } done: { _ in
            Reply(250, "Remove directory operation successful.")
        }
    }

    final func deleteFile(_ argument: [UInt8]) throws(SessionEnd) {
        try change("DELE", argument) { fileSystem, path throws(FileError) in
            try fileSystem.removeFile(path)
        } done: { _ in
            Reply(250, "Delete operation successful.")
        }
    }

    final func renameFrom(_ argument: [UInt8]) throws(SessionEnd) {
        guard let path = try path(argument) else { return }
        guard !path.isRoot else {
            try reply(550, "The root cannot be renamed.")
            return
        }
        let facts = try attempt(550, "RNFR") { fileSystem throws(FileError) in
            try fileSystem.facts(of: path, for: .renaming)
        }
        guard facts != nil else {
            record("RNFR", path, isDone: false)
            return
        }
        renameSource = path
        try reply(350, "Ready for RNTO.")
    }

    final func renameTo(_ argument: [UInt8]) throws(SessionEnd) {
        guard let source = renameSource.take() else {
            try reply(503, "RNFR required first.")
            return
        }
        guard let path = try path(argument) else { return }
        audit { action in (action.path, action.target) = (source, path) }
        let result: Void? = try attempt(550, "RNTO") { fileSystem throws(FileError) in
            try fileSystem.rename(source, to: path)
        }
        record("RNTO", source, isDone: result != nil) { $0.target = path }
        guard result != nil else { return }
        logAction("RNTO \(source.quoted) -> \(path.quoted)")
        try reply(250, "Rename successful.")
    }

    final func size(_ argument: [UInt8]) throws(SessionEnd) {
        // The size that a transfer in this type would have cannot be told without reading the
        // whole file, and RFC 3659 section 4 allows to refuse then.
        guard type == .image else {
            try reply(550, "SIZE not allowed in ASCII mode; send TYPE I first.")
            return
        }
        guard let path = try path(argument) else { return }
        let found = try attempt(550, "SIZE") { fileSystem throws(FileError) in
            try fileSystem.facts(of: path, for: .showing)
        }
        guard let facts = found else { return }
        guard facts.kind == .regular else {
            try reply(550, "Not a regular file.")
            return
        }
        try reply(213, "\(facts.size)")
    }

    final func modificationTime(_ argument: [UInt8]) throws(SessionEnd) {
        guard let login else { throw .processGone }
        guard let path = try path(argument) else { return }
        let facts: FileFacts
        do throws(FileError) {
            facts = try login.fileSystem.facts(of: path, for: .showing)
        } catch {
            // Old clients set the time by MDTM, and a file may be called like that, too.
            if error == .notFound, configuration.files.allowsTimeChange,
                let change = Timestamp.parseModifyCommand(argument)
            {
                try setModificationTime(change.time, change.path, "MDTM")
            } else {
                try refuse(error, 550, "MDTM")
            }
            return
        }
        let offset = configuration.files.usesLocalTime ? localTimeOffset(at: facts.modified) : 0
        let (shown, overflowed) = facts.modified.addingReportingOverflow(offset)
        try reply(213, Timestamp(seconds: overflowed ? facts.modified : shown).timeVal)
    }

    final func setModificationTime(_ argument: [UInt8]) throws(SessionEnd) {
        guard configuration.files.allowsTimeChange else {
            try reply(550, "Permission denied.")
            return
        }
        guard let change = Timestamp.parseModifyCommand(argument) else {
            try reply(501, "MFMT takes YYYYMMDDHHMMSS and a path.")
            return
        }
        try setModificationTime(change.time, change.path, "MFMT")
    }

    private func setModificationTime(
        _ time: Timestamp,
        _ argument: [UInt8],
        _ verb: String
    ) throws(SessionEnd) {
        let seconds =
            configuration.files.usesLocalTime ? momentOfLocalTime(time.seconds) : time.seconds
        try change(verb, argument) { fileSystem, path throws(FileError) in
            try fileSystem.setModificationTime(of: path, to: seconds)
        } done: {
            verb == "MFMT"
                ? Reply(213, "Modify=\(time.timeVal); \(path: $0)")
                : Reply(213, "File modification time set.")
        }
    }
}

extension FileError {
    /// What the client is told.
    var text: String {
        switch self {
        case .notFound: "No such file or directory."
        case .accessDenied: "Access denied."
        case .notPermitted: "Permission denied."
        case .exists: "Name is taken."
        case .notDirectory: "Not a directory."
        case .isDirectory: "Is a directory."
        case .notEmpty: "Directory not empty."
        case .noSpace: "No space left."
        case .tooLarge: "File too large."
        case .nameTooLong: "Name too long."
        case .tooManyLinks: "Too many symbolic links."
        case .busy: "File is busy."
        case .crossDevice: "Cannot rename across file systems."
        case .notRegular: "Not a regular file."
        case .beyondEnd: "Restart position is beyond the end of the file."
        case .readOnly: "Read-only file system."
        case .tooManyOpen: "Too many open files, please try later."
        case .inputOutput: "Local error in processing."
        case .unavailable: "Service not available."
        case .overQuota: "Quota exceeded: no more bytes may be stored (SITE QUOTA)."
        case .overFileQuota: "Quota exceeded: no more files may be stored (SITE QUOTA)."
        case .damaged: "The compressed data is damaged or incomplete."
        case .impossible: "Not possible with these names."
        }
    }
}
