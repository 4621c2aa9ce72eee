/// How the first lines of other protocols are told from mistyped commands.
///
/// A client that was tricked into speaking to an FTP port has to be left at once: what it is answered
/// may be taken for an answer of the server that it meant (ALPACA, CVE-2021-3618).
package enum ForeignProtocol {
    /// First words of HTTP, SMTP and POP3, none of which is an FTP command.
    private static let verbs: Set<String> = [
        "GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "CONNECT", "TRACE", "PATCH", "PRI",
        "EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "STARTTLS", "CAPA", "STLS", "APOP",
    ]

    /// What the last word of a request line begins with (RFC 9112, RFC 3261, RFC 7826).
    private static let versions = ["HTTP/", "SIP/", "RTSP/"]

    /// Whether a command that FTP does not know belongs to another protocol.
    package static func isSpoken(in command: Command) -> Bool {
        if verbs.contains(String(decoding: command.name, as: UTF8.self)) { return true }
        let space = UInt8(ascii: " ")
        guard let last = command.argument.split(separator: space).last else { return false }
        let word = String(decoding: last.prefix(5), as: UTF8.self).uppercased()
        return versions.contains { word.hasPrefix($0) }
    }
}
