internal import FTPProtocol
internal import FileSystem
internal import Isolation

// What is shown on entering a directory (`dirmessage_enable`).

extension FTPHandler {
    /// Directories that are remembered, as by vsftpd; further ones show their message each time.
    private static let maximumVisitCount = 100

    /// The lines of the working directory's message; none the second time.
    final func takeDirectoryMessage() throws(SessionEnd) -> [ReplyText] {
        let files = configuration.files
        guard files.showsMessages, let login,
            let path = workingDirectory.appending(component: Array(files.messageFile.utf8)),
            !visitedDirectories.contains(workingDirectory)
        else { return [] }
        if visitedDirectories.count < Self.maximumVisitCount {
            visitedDirectories.insert(workingDirectory)
        }
        do throws(FileError) {
            return Self.lines(of: try login.fileSystem.message(path))
        } catch {
            // Most directories have none, and nobody asked for it.
            if error == .unavailable { throw .processGone }
            return []
        }
    }

    /// Text that anybody who may write there has written.
    private static func lines(of bytes: [UInt8]) -> [ReplyText] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        while lines.last?.allSatisfy({ $0 <= UInt8(ascii: " ") }) ?? false { lines.removeLast() }
        return lines.map { line in
            var text = ""
            for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
                switch scalar {
                case "\r": break
                case "\t": text += "    "
                default:
                    let isControl = scalar.properties.generalCategory == .control
                    text.unicodeScalars.append(isControl ? "?" : scalar)
                }
            }
            return ReplyText(text)
        }
    }

    /// The argument with `~` and the user's own `~name` exchanged for the directory that the session
    /// began in (`tilde_user_enable`); the homes of others lie outside the jail.
    final func expandingTilde(_ argument: [UInt8]) -> [UInt8] {
        guard configuration.files.expandsTilde, argument.first == UInt8(ascii: "~"), let login
        else { return argument }
        let name = argument.dropFirst().prefix { $0 != UInt8(ascii: "/") }
        guard name.isEmpty || name.elementsEqual(login.user.utf8) else { return argument }
        return login.terms.workingDirectory.bytes + argument[name.endIndex...]
    }
}
