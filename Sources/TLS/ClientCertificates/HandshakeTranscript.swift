internal import LinuxSystem

/// The messages of a handshake in which a client has shown a certificate, taken apart.
///
/// They come from a process that may be somebody else's by now. Nothing here is believed: the
/// client's signature covers every byte, and whoever checks it holds the rest against what it
/// knows. Everything that does not have the one shape of our handshakes is refused.
struct HandshakeTranscript: Hashable {
    /// What the client has signed.
    let signed: [UInt8]

    /// How it has (RFC 8446 section 4.2.3).
    let scheme: UInt16

    /// The signature.
    let signature: [UInt8]

    /// The client's certificates in DER, its own first.
    let clientChain: [[UInt8]]

    /// The server's certificates in DER, its own first.
    let serverChain: [[UInt8]]

    /// Whether TLS 1.3 was spoken.
    let is13: Bool

    /// The kinds of message (RFC 8446 section 4, RFC 5246 section 7.4).
    private enum Kind: UInt8 {
        case clientHello = 1
        case serverHello = 2
        case encryptedExtensions = 8
        case certificate = 11
        case serverKeyExchange = 12
        case certificateRequest = 13
        case serverHelloDone = 14
        case certificateVerify = 15
        case clientKeyExchange = 16
        case finished = 20
        case certificateStatus = 22
    }

    private struct Message {
        let kind: Kind
        let body: [UInt8]
        /// Where the message begins and ends among all of them.
        let range: Range<Int>
    }

    /// More messages than any handshake has.
    private static let maximumMessageCount = 16

    /// The random of a ServerHello that asks for another ClientHello (RFC 8446 section 4.1.3).
    private static let retryRandom: [UInt8] = [
        0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8,
        0x91, 0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8,
        0x33, 0x9C,
    ]

    /// Takes a recording apart that carries `challenge` in its request for a certificate.
    init(_ recording: [UInt8], challenge: [UInt8]) throws(MessageError) {
        guard challenge.count == HandshakeRecording.challengeByteCount else { throw .invalidValue }
        var messages = try Self.messages(recording)
        var hasRetry = false
        if messages.count > 2, messages[1].kind == .serverHello,
            try ServerHello(messages[1].body).random == Self.retryRandom
        {
            guard messages[0].kind == .clientHello else { throw .invalidValue }
            hasRetry = true
            messages.removeFirst(2)
        }
        guard messages.count > 2, messages[0].kind == .clientHello,
            messages[1].kind == .serverHello
        else { throw .invalidValue }
        let hello = try ServerHello(messages[1].body)
        is13 = hello.is13
        messages.removeAll { $0.kind == .certificateStatus && !hello.is13 }
        let kinds = messages.map(\.kind)
        let request: Message
        let (server, client): (Message, Message)
        if is13 {
            guard
                kinds == [
                    .clientHello, .serverHello, .encryptedExtensions, .certificateRequest,
                    .certificate, .certificateVerify, .finished, .certificate, .certificateVerify,
                ]
            else { throw .invalidValue }
            (request, server, client) = (messages[3], messages[4], messages[7])
        } else {
            guard
                !hasRetry,
                kinds == [
                    .clientHello, .serverHello, .certificate, .serverKeyExchange,
                    .certificateRequest, .serverHelloDone, .certificate, .clientKeyExchange,
                    .certificateVerify,
                ]
            else { throw .invalidValue }
            (server, request, client) = (messages[2], messages[4], messages[6])
        }
        guard try Self.carries(challenge, request.body, is13: is13) else { throw .invalidValue }
        serverChain = try Self.certificates(server.body, is13: is13)
        clientChain = try Self.certificates(client.body, is13: is13)
        let proof = messages[8]
        var reader = ByteReader(proof.body)
        scheme = UInt16(try reader.number(2))
        signature = try reader.bytes(counted: 2)
        try reader.finish()
        let covered = recording[..<proof.range.lowerBound]
        signed = try Self.signedBytes(covered, hello: is13 ? hello : nil, hasRetry: hasRetry)
    }

    /// What a client signs: under TLS 1.2 the messages themselves, under TLS 1.3 their digest.
    private static func signedBytes(
        _ messages: ArraySlice<UInt8>,
        hello: ServerHello?,
        hasRetry: Bool
    ) throws(MessageError) -> [UInt8] {
        guard let hello else { return Array(messages) }
        let function: MessageDigest.Function = hello.usesSHA384 ? .sha384 : .sha256
        var covered = Array(messages)
        if hasRetry {
            // The first ClientHello counts by its digest alone (RFC 8446 section 4.4.1).
            let count = 4 + Int(covered[1]) << 16 + Int(covered[2]) << 8 + Int(covered[3])
            let digest = try Self.digest(function, Array(covered[..<count]))
            covered = [254, 0, 0, UInt8(digest.count)] + digest + covered[count...]
        }
        return [UInt8](repeating: 0x20, count: 64)
            + Array("TLS 1.3, client CertificateVerify\0".utf8)
            + (try Self.digest(function, covered))
    }

    private static func digest(
        _ function: MessageDigest.Function,
        _ bytes: [UInt8]
    ) throws(MessageError) -> [UInt8] {
        do throws(TLSError) {
            var digest = try MessageDigest.begin(function)
            unsafe bytes.withUnsafeBytes { unsafe digest.update($0) }
            return digest.finish()
        } catch {
            throw .invalidValue
        }
    }

    private static func messages(_ bytes: [UInt8]) throws(MessageError) -> [Message] {
        var reader = ByteReader(bytes)
        var messages: [Message] = []
        while !reader.isAtEnd {
            let start = reader.position
            guard messages.count < maximumMessageCount,
                let kind = Kind(rawValue: UInt8(try reader.number(1)))
            else { throw .invalidValue }
            let body = try reader.bytes(counted: 3)
            messages.append(Message(kind: kind, body: body, range: start..<reader.position))
        }
        return messages
    }

    /// Whether a request for a certificate carries the challenge.
    private static func carries(
        _ challenge: [UInt8],
        _ body: [UInt8],
        is13: Bool
    ) throws(MessageError) -> Bool {
        var reader = ByteReader(body)
        var found = false
        if is13 {
            guard try reader.bytes(counted: 1).isEmpty else { throw .invalidValue }
            var fields = ByteReader(try reader.bytes(counted: 2))
            while !fields.isAtEnd {
                let kind = UInt16(try fields.number(2))
                let value = try fields.bytes(counted: 2)
                if kind == HandshakeRecording.challengeExtension, value == challenge {
                    found = true
                }
            }
        } else {
            _ = try reader.bytes(counted: 1)
            _ = try reader.bytes(counted: 2)
            var names = ByteReader(try reader.bytes(counted: 2))
            let wanted = HandshakeRecording.name(carrying: challenge)
            while !names.isAtEnd {
                if try names.bytes(counted: 2) == wanted { found = true }
            }
        }
        try reader.finish()
        return found
    }

    /// The certificates of a Certificate message; at least one.
    private static func certificates(
        _ body: [UInt8],
        is13: Bool
    ) throws(MessageError) -> [[UInt8]] {
        var reader = ByteReader(body)
        if is13 {
            guard try reader.bytes(counted: 1).isEmpty else { throw .invalidValue }
        }
        var list = ByteReader(try reader.bytes(counted: 3))
        try reader.finish()
        var certificates: [[UInt8]] = []
        while !list.isAtEnd {
            guard certificates.count < maximumMessageCount else { throw .invalidValue }
            certificates.append(try list.bytes(counted: 3))
            if is13 { _ = try list.bytes(counted: 2) }
        }
        guard !certificates.isEmpty else { throw .invalidValue }
        return certificates
    }
}

/// What a ServerHello says about the rest of the handshake.
private struct ServerHello {
    let random: [UInt8]
    let suite: UInt16
    let is13: Bool

    /// TLS_AES_256_GCM_SHA384, the one suite of TLS 1.3 with that digest.
    var usesSHA384: Bool { suite == 0x1302 }

    init(_ body: [UInt8]) throws(MessageError) {
        var reader = ByteReader(body)
        _ = try reader.number(2)
        random = try reader.bytes(32)
        _ = try reader.bytes(counted: 1)
        suite = UInt16(try reader.number(2))
        _ = try reader.number(1)
        var is13 = false
        if !reader.isAtEnd {
            var fields = ByteReader(try reader.bytes(counted: 2))
            while !fields.isAtEnd {
                let kind = try fields.number(2)
                let value = try fields.bytes(counted: 2)
                // supported_versions (RFC 8446 section 4.2.1).
                if kind == 43, value == [3, 4] { is13 = true }
            }
        }
        try reader.finish()
        self.is13 = is13
    }
}
