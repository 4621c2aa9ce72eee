import Testing

@testable import TLS

@Suite("Protocols that a client offers, RFC 7301")
struct ApplicationProtocolTests {
    /// The names as they stand in the extension: each behind its length.
    private func list(_ names: [String]) -> [UInt8] {
        names.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
    }

    /// What is chosen of `offered`; `nil` when the handshake fails.
    private func choice(of offered: [UInt8], count offeredCount: Int? = nil) -> String? {
        unsafe offered.withUnsafeBufferPointer { list in
            var start: UnsafePointer<UInt8>?
            var count: UInt8 = 0
            let result = unsafe selectApplicationProtocol(
                nil,
                &start,
                &count,
                list.baseAddress,
                CUnsignedInt(offeredCount ?? list.count),
                nil
            )
            // SSL_TLSEXT_ERR_OK is 0, SSL_TLSEXT_ERR_ALERT_FATAL is 2.
            guard result == 0, let start = unsafe start else {
                #expect(result == 2)
                return nil
            }
            let name = unsafe UnsafeBufferPointer(start: start, count: Int(count))
            return unsafe String(decoding: name, as: UTF8.self)
        }
    }

    @Test(arguments: [["ftp"], ["h2", "ftp"], ["ftp", "http/1.1"], ["h2", "x", "ftp", "imap"]])
    func ftpIsChosenWhereverItStands(names: [String]) {
        #expect(choice(of: list(names)) == "ftp")
    }

    @Test(arguments: [
        ["h2"], ["http/1.1", "h2"], ["FTP"], ["ftps"], ["ft"], ["xftp"], ["sftp-ftp"],
    ])
    func withoutFtpTheHandshakeFails(names: [String]) {
        #expect(choice(of: list(names)) == nil)
    }

    @Test(
        arguments: [
            [3, 0x66, 0x74], [255, 0x66, 0x74, 0x70], [0, 3, 0x66, 0x74, 0x70], [3], [0],
            [2, 0x68, 0x32, 4, 0x66, 0x74, 0x70],
        ] as [[UInt8]]
    )
    func aBrokenListFails(offered: [UInt8]) {
        #expect(choice(of: offered) == nil)
    }

    @Test func ftpInsideAnotherNameIsNotFound() {
        #expect(choice(of: list(["a\u{3}ftp"])) == nil)
    }

    @Test func whatLiesBehindTheListIsNotRead() {
        #expect(choice(of: list(["ftp"]), count: 3) == nil)
        #expect(choice(of: list(["h2", "ftp"]), count: 6) == nil)
        #expect(choice(of: list(["h2", "ftp"]), count: 7) == "ftp")
    }
}
