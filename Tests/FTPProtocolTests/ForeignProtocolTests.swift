import FTPProtocol
import Testing

@Suite("First lines of other protocols (ALPACA, CVE-2021-3618)")
struct ForeignProtocolTests {
    private func isForeign(_ line: String) throws -> Bool {
        ForeignProtocol.isSpoken(in: try Command(line: Array(line.utf8)))
    }

    @Test(arguments: [
        "GET /", "get / http/1.1", "PRI * HTTP/2.0", "MADEUP /x HTTP/1.1", "EHLO x", "STARTTLS",
        "INVITE sip:x SIP/2.0", "DESCRIBE rtsp://x rtsp/1.0",
    ])
    func areKnown(line: String) throws {
        #expect(try isForeign(line))
    }

    @Test(arguments: ["NOSUCH", "NOSUCH ", "NOSUCH HTTP", "NOSUCH HTTP/1.1 x", "NOSUCH xHTTP/1.1"])
    func areNotSuspectedInMistypedCommands(line: String) throws {
        #expect(try !isForeign(line))
    }
}
