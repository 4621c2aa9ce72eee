/// One line of vsftpd's own log.
package enum TransferLogEvent: Hashable, Sendable {
    /// A client has connected, and may have been turned away.
    case connection(refusal: String?)
    /// A login.
    case login(isDone: Bool)
    /// What a user did.
    case action(LoggedAction)
    /// A line that the client sent, without passwords (`log_ftp_protocol`).
    case command([UInt8])
    /// A line that the client was sent (`log_ftp_protocol`).
    case reply([UInt8])

    /// The line as vsftpd 3.0 writes it, without the date in front and the end behind.
    ///
    /// Whatever comes from a client has lost its control characters. A user name has lost quotes and
    /// brackets too: it stands before the words that filters look for, and could hold them.
    package func line(about client: LoggedClient) -> [UInt8] {
        var line: [UInt8] = []
        if let user = client.user {
            line.append(ascii: "[")
            line += LogText.masked(Array(user.utf8)).map { Self.isDelimiter($0) ? .mark : $0 }
            line.append(ascii: "] ")
        }
        line.append(ascii: "\(words): Client \"\(client.address)\"")
        for text in [detail].compactMap(\.self) {
            line.append(ascii: ", \"")
            line += text
            line.append(ascii: "\"")
        }
        guard case .action(let action) = self, action.kind.isTransfer else { return line }
        if action.byteCount > 0 { line.append(ascii: ", \(action.byteCount) bytes") }
        line.append(ascii: ", ")
        line += action.rate
        return line
    }

    private static func isDelimiter(_ byte: UInt8) -> Bool {
        [UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "\"")].contains(byte)
    }

    private var words: String {
        switch self {
        case .connection: "CONNECT"
        case .login(let isDone): isDone ? "OK LOGIN" : "FAIL LOGIN"
        case .action(let action): "\(action.isDone ? "OK" : "FAIL") \(action.kind.word)"
        case .command: "FTP command"
        case .reply: "FTP response"
        }
    }

    private var detail: [UInt8]? {
        switch self {
        case .connection(let refusal): refusal.map { LogText.masked(Array($0.utf8)) }
        case .login: nil
        case .command(let text), .reply(let text): LogText.masked(text)
        case .action(let action):
            LogText.masked(action.path.bytes)
                + (action.target.map { [.space] + LogText.masked($0.bytes) } ?? [])
                + (action.kind == .changeMode
                    ? Array(" \(OctalMode.text(action.mode, digits: 3))".utf8) : [])
        }
    }
}

extension LoggedAction {
    /// The line of a transfer as wu-ftpd has it, xferlog(5), and vsftpd 3.0 writes it, without its end.
    ///
    /// Fields are divided by blanks; those in names become `_`.
    ///
    /// - Parameters:
    ///   - client: Whose transfer it was.
    ///   - time: The end of the transfer, moved to the time zone of the log.
    /// - Returns: The line.
    package func standardLine(about client: LoggedClient, at time: Timestamp) -> [UInt8] {
        let seconds = max(1, (nanoseconds / 500_000_000).addingReportingOverflow(1).0 / 2)
        var line = Array(time.logDate.utf8)
        line.append(ascii: " \(seconds) \(client.address) \(byteCount) ")
        line += Self.field(path.bytes)
        line.append(ascii: isASCII ? " a _ " : " b _ ")
        line.append(ascii: kind == .upload ? "i " : "o ")
        line.append(client.access.rawValue)
        line.append(.space)
        line += Self.field(Array((client.user ?? "?").utf8))
        line.append(ascii: isDone ? " ftp 0 * c" : " ftp 0 * i")
        return line
    }

    private static func field(_ bytes: [UInt8]) -> [UInt8] {
        LogText.masked(bytes).map { $0 == .space ? UInt8(ascii: "_") : $0 }
    }

    /// `12.34Kbyte/sec`.
    fileprivate var rate: [UInt8] {
        // As vsftpd does for what took no time that it could measure.
        let seconds = nanoseconds == 0 ? 0.1 : Double(nanoseconds) / 1_000_000_000
        let hundredths = Double(byteCount) / 1024 / seconds * 100
        let rounded = UInt64(exactly: hundredths.rounded()) ?? .max
        var text: [UInt8] = []
        text.appendDecimal(rounded / 100)
        text.append(ascii: ".")
        text.appendZeroPadded(Int(rounded % 100), width: 2)
        text.append(ascii: "Kbyte/sec")
        return text
    }
}

extension UInt8 {
    fileprivate static let mark = UInt8(ascii: "?")
}
