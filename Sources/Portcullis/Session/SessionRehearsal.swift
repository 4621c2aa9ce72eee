internal import FTPProtocol
internal import Isolation
internal import LinuxSystem

extension SessionRehearsal {
    /// What the client of a rehearsal says, all at once.
    private static let words = """
        AUTH TLS\r\nFEAT\r\nSYST\r\nOPTS UTF8 ON\r\nUSER rehearsal\r\nPASS rehearsal\r\nPBSZ 0\r\n\
        PROT P\r\nPWD\r\nTYPE I\r\nEPSV\r\nPASV\r\nNOOP\r\nQUIT\r\n
        """

    /// Serves a client that comes to nothing, in clear; ``TLSRehearsal`` does the rest.
    ///
    /// - Returns: What the client was told.
    /// - Throws: ``SystemError``. Sessions work all the same, at a higher price.
    @discardableResult
    static func run(_ settings: HandlerSettings) throws(SystemError) -> [UInt8] {
        var settings = settings
        settings.tls = nil
        settings.hasUsersOfItsOwn = true
        settings.configuration.tls.isEnabled = false
        settings.configuration.tls.plainNetworks = []
        let pair = try StreamPair()
        _ = unsafe Array(words.utf8).withUnsafeBytes { unsafe pair.second.send($0) }
        // Whatever becomes of these words, nothing more is waited for.
        pair.second.endWriting()
        let start = try start(try pair.first.duplicate())
        TLS_FTPHandler(FTPSession(start, SharedSettings(settings))).run()
        var replies = [UInt8](repeating: 0, count: 8_192)
        let count = unsafe replies.withUnsafeMutableBytes {
            unsafe (try? pair.second.read(into: $0)) ?? 0
        }
        return [UInt8](replies.prefix(count))
    }
}
