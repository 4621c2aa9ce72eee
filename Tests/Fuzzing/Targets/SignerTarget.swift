import LinuxSystem

@testable import TLS

/// The Signer signs what a TLS server signs in a handshake, and nothing else.
enum SignerTarget {
    static func run(_ input: [UInt8]) throws {
        let keys = try unsafe keys.get()
        guard let reply = try? keys.answer(input) else { return }
        let request = try SignatureRequest(decoding: input)
        try claim(request.key == 0, "a key that there is none of")
        try claim(request.message.count <= SignatureRequest.maximumMessageByteCount, "too much")
        let context = Array("TLS 1.3, server CertificateVerify".utf8)
        let isCertificateVerify =
            request.message.prefix(64).allSatisfy { $0 == 0x20 }
            && request.message.dropFirst(64).starts(with: context)
        let isKeyExchange = request.message.count > 68 && request.message[64] == 3
        try claim(isCertificateVerify || isKeyExchange, "signed: \(request.message)")
        let answer = SignatureReply.encoded(reply)
        try claim(answer.count <= MessageSocket.maximumByteCount, "an answer that cannot be sent")
        if !reply.isEmpty {
            try claim(SignatureReply(decoding: answer)?.signature == reply, "another signature")
        }
    }

    // SAFETY: made once and never changed; OpenSSL's keys may be used by several threads.
    nonisolated(unsafe) private static let keys = Result {
        try TestCertificate().use { try SigningKeys([$0]) }
    }
}
