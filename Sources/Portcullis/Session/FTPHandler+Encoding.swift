internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem

// How names are written for clients that do not write UTF-8.

extension FTPHandler {
    /// A command in UTF-8; `nil` where it is no text, and the program wants none that is not.
    final func understood(_ line: [UInt8]) throws(CommandError) -> Command? {
        let command = try Command(line: line)
        // What is no UTF-8 in a password stays as it is: who knows how it was hashed.
        if encoding == .utf8, command.isSecret { return command }
        guard let text = encoding.decode(line, settings.remedy) else { return nil }
        guard text != line else { return command }
        defer {
            wipeMemory(of: text)
            if command.isSecret { wipeMemory(of: command.argument) }
        }
        return try Command(line: text)
    }

    /// A reply as the client reads it.
    final func told(_ reply: Reply) -> Reply {
        // There is no leaving out a reply.
        let remedy = settings.remedy == .refuse ? .replace : settings.remedy
        guard encoding != .utf8 || remedy != .pass else { return reply }
        return Reply(
            reply.code,
            lines: reply.lines.map {
                ReplyText(name: encoding.encode($0.bytes, remedy) ?? $0.bytes)
            }
        )
    }

    /// A listing as the client reads it.
    final func told(_ listing: ListingSource) -> ListingSource {
        let (encoding, remedy) = (encoding, settings.remedy)
        guard encoding != .utf8 || remedy != .pass else { return listing }
        return ListingSource { text throws(FileError) in
            var piece: [UInt8] = []
            guard try listing.produce(&piece) else { return false }
            text += encoding.encode(lines: piece, remedy)
            return true
        }
    }

    /// OPTS UTF8: a client that knows UTF-8 has it from here on.
    final func setEncoding(_ argument: [UInt8]) throws(SessionEnd) {
        let isOff = String(decoding: argument, as: UTF8.self).uppercased() == "OFF"
        encoding = isOff ? settings.encoding : .utf8
        try reply(200, encoding == .utf8 ? "Always in UTF8 mode." : "UTF8 mode is off.")
    }
}

extension Command {
    /// Whether it carries what nobody is to see.
    fileprivate var isSecret: Bool { verb == .pass || verb == .acct || verb == .adat }
}

extension FTPHandler.TextEncoding {
    var base: NameEncoding {
        switch self {
        case .utf8: .utf8
        case .latin1: .latin1
        case .windows1252: .windows1252
        }
    }
}

extension FTPHandler.EncodingErrors {
    var remedy: NameEncoding.Remedy {
        switch self {
        case .pass: .pass
        case .refuse: .refuse
        case .replace: .replace
        case .ignore: .ignore
        }
    }
}
