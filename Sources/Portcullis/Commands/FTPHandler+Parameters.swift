internal import FTPProtocol

// TYPE, STRU, MODE, REST and OPTS: how the next transfer is to be made.

extension FTPHandler {
    final func setType(_ argument: [UInt8]) throws(SessionEnd) {
        do throws(TransferParameterError) {
            type = try TransferType(argument: argument)
        } catch {
            try refuse(error, "TYPE", takes: "A, I or L 8")
            return
        }
        switch type {
        case .ascii: try reply(200, "Switching to ASCII mode.")
        case .image: try reply(200, "Switching to Binary mode.")
        }
    }

    final func setStructure(_ argument: [UInt8]) throws(SessionEnd) {
        do throws(TransferParameterError) {
            _ = try FileStructure(argument: argument)
        } catch {
            try refuse(error, "STRU", takes: "F")
            return
        }
        try reply(200, "Structure set to F.")
    }

    final func setMode(_ argument: [UInt8]) throws(SessionEnd) {
        let compresses = configuration.files.allowsCompression
        let wanted: TransferMode
        do throws(TransferParameterError) {
            wanted = try TransferMode(argument: argument)
            guard wanted == .stream || compresses else { throw .unsupported }
        } catch {
            try refuse(error, "MODE", takes: compresses ? "S or Z" : "S")
            return
        }
        mode = wanted
        try reply(200, wanted == .stream ? "Mode set to S." : "Mode set to Z.")
    }

    private func refuse(
        _ error: TransferParameterError,
        _ verb: String,
        takes values: String
    ) throws(SessionEnd) {
        switch error {
        case .malformed: try reply(501, "\(verb) takes \(values).")
        case .unsupported: try reply(504, "\(verb) takes only \(values) on this server.")
        }
    }

    /// OPTS MODE Z (draft-preston-ftpext-deflate section 3.1).
    private func setDeflateOptions(_ argument: [UInt8]) throws(SessionEnd) {
        let words = argument.split(separator: UInt8(ascii: " "), maxSplits: 1)
        guard words.count == 2,
            words[0].elementsEqual("Z".utf8) || words[0].elementsEqual("z".utf8),
            let options = deflateOptions.applying([UInt8](words[1]))
        else {
            try reply(501, "OPTS MODE Z takes LEVEL and a number from 0 to 9.")
            return
        }
        deflateOptions = options
        try reply(200, "MODE Z LEVEL set to \(options.level).")
    }

    final func setRestartOffset(_ argument: [UInt8]) throws(SessionEnd) {
        guard let offset = DecimalNumber.parse(argument) else {
            try reply(501, "REST takes a number of bytes.")
            return
        }
        // An offset into lines whose ends are converted has no place in the file.
        guard type == .image || offset == 0 else {
            try reply(501, "No support for resume of ASCII transfer; send TYPE I first.")
            return
        }
        nextPart = offset == 0 ? nil : ByteRange(start: offset)
        try reply(350, "Restart position accepted (\(offset)).")
    }

    /// RANG (draft-bryan-ftp-range section 3); the last one of REST and RANG holds.
    final func setRange(_ argument: [UInt8]) throws(SessionEnd) {
        guard let wanted = RangeArgument(argument: argument) else {
            try reply(501, "RANG takes the offsets of the first and the last byte.")
            return
        }
        guard type == .image || wanted == .reset else {
            try reply(501, "No support for parts of ASCII transfers; send TYPE I first.")
            return
        }
        nextPart = wanted.part
        switch wanted {
        case .reset: try reply(350, "The whole file again.")
        case .range(let first, let last):
            try reply(350, "Restarting at \(first). End byte range at \(last).")
        }
    }

    /// Takes what REST or RANG set, which is good for one transfer.
    final func takeNextPart() -> ByteRange? {
        defer { nextPart = nil }
        return nextPart
    }

    /// PRET: the transfer for which PASV comes next; nothing here depends on it.
    final func announceTransfer(_ argument: [UInt8]) throws(SessionEnd) {
        let name = argument.prefix { $0 != UInt8(ascii: " ") }
        switch Verb(name: Array(name)) {
        case .retr, .stor, .stou, .appe, .list, .nlst, .mlsd:
            try reply(200, "PRET ok; send PASV or EPSV next.")
        default: try reply(501, "PRET takes a command that makes a transfer.")
        }
    }

    final func setOptions(_ argument: [UInt8]) throws(SessionEnd) {
        let words = argument.split(separator: UInt8(ascii: " "), maxSplits: 1)
        let name = words.first.map { String(decoding: $0, as: UTF8.self).uppercased() }
        let rest = words.count > 1 ? [UInt8](words[1]) : []
        switch name {
        case "UTF8", "UTF-8": try setEncoding(rest)
        case "MLST":
            machineFacts = MachineFacts(optsArgument: rest)
            try reply(200, "MLST OPTS \(machineFacts.selectedText)")
        case "MODE" where configuration.files.allowsCompression: try setDeflateOptions(rest)
        case "HASH": try setHashAlgorithm(rest)
        default: try reply(501, "Option not understood.")
        }
    }
}
