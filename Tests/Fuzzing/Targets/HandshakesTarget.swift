import COpenSSL
import FTPProtocol

@testable import TLS

/// Nobody proves a certificate by a handshake that its owner has not signed, and what a client names
/// in one is a host or nothing.
///
/// The first byte of the input says what the others are.
enum HandshakesTarget {
    /// What the handshakes among the inputs were made with.
    static let challenge = [UInt8](repeating: 0x5A, count: HandshakeRecording.challengeByteCount)

    /// What the clients of those handshakes have signed, by its SHA-256 digest.
    private static let signed: Set<String> = [
        "6c5c463bbfc46d56dc6805abcdb1ab979e3053f6be6868fc842a6f02dee07aac",
        "5b75f7bf93b2af726bde01162495b71cd2f4805ffd17a3b53eacea640b28b380",
    ]

    static func run(_ input: [UInt8]) throws {
        let content = Array(input.dropFirst())
        switch (input.first ?? 0) % 3 {
        case 0: try recording(content)
        case 1: try name(content)
        default: try protocols(content)
        }
    }

    private static func recording(_ content: [UInt8]) throws {
        guard let transcript = try? HandshakeTranscript(content, challenge: challenge) else {
            return
        }
        let chains = transcript.clientChain + transcript.serverChain
        let count = transcript.signature.count + chains.reduce(0) { $0 + $1.count }
        try claim(count <= content.count, "more was read than there is")
        let check = ClientProofCheck(
            store: nil,
            serverCertificates: Array(transcript.serverChain.prefix(1))
        )
        guard case .success(let proof) = check.check(content, challenge: challenge) else { return }
        let digest = hexadecimal(unsafe transcript.signed.withUnsafeBytes { unsafe sha256($0) })
        try claim(signed.contains(digest), "a handshake that nobody signed proves \(proof)")
    }

    private static func name(_ content: [UInt8]) throws {
        guard case .name(let text) = OfferedName(content) else { return }
        try claim(HostName(text)?.text == text && isHarmless(text), "the name is none")
        try claim(OfferedName(name: Array(text.utf8)) == .name(text), "the name is another one")
    }

    private static func protocols(_ content: [UInt8]) throws {
        let chosen: [UInt8]? = unsafe content.withUnsafeBufferPointer { list in
            var start: UnsafePointer<UInt8>?
            var count: UInt8 = 0
            let result = unsafe selectApplicationProtocol(
                nil,
                &start,
                &count,
                list.baseAddress,
                CUnsignedInt(list.count),
                nil
            )
            guard result == SSL_TLSEXT_ERR_OK, let first = unsafe start,
                let base = list.baseAddress
            else { return nil }
            let place = unsafe first - base
            guard place > 0, place + Int(count) <= list.count else { return [] }
            return unsafe [UInt8](list[place..<(place + Int(count))])
        }
        try claim(chosen ?? Array("ftp".utf8) == Array("ftp".utf8), "another protocol than ftp")
        let entry: [UInt8] = [3] + Array("ftp".utf8)
        if content.starts(with: entry) { try claim(chosen != nil, "ftp was offered and refused") }
    }
}
