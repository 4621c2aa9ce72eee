internal import FTPProtocol
internal import FileSystem

// MFF: several facts of a file at once.

extension FTPHandler {
    /// MFF (draft-somers-ftp-mfxx section 5).
    ///
    /// Everything is checked before anything is changed. What the kernel refuses half-way through
    /// stays changed as far as it went; there is no way to undo a change of the group.
    final func setFacts(_ argument: [UInt8]) throws(SessionEnd) {
        let changes: FactChanges
        do throws(FactChangesError) {
            changes = try FactChanges(argument: argument)
        } catch {
            switch error {
            case .malformed: try reply(501, "MFF takes fact=value; and so on, then a path.")
            case .unsupported: try reply(504, "MFF sets \(FactChanges.featText) only.")
            }
            return
        }
        let files = configuration.files
        guard files.allowsChangeMode || changes.mode == nil && changes.group == nil,
            files.allowsTimeChange || changes.modified == nil
        else {
            try reply(550, "Permission denied.")
            return
        }
        try change("MFF", changes.path) { fileSystem, path throws(FileError) in
            // A change of the group takes set-user-id away, so the mode comes behind it.
            if let group = changes.group { try fileSystem.setGroup(of: path, to: group) }
            if let mode = changes.mode { try fileSystem.setMode(of: path, to: mode) }
            if let time = changes.modified {
                try fileSystem.setModificationTime(of: path, to: time.seconds)
            }
        } done: {
            Reply(213, "\(changes.text) \(path: $0)")
        }
    }
}
