internal import COpenSSL
internal import CRemoteKey
package import LinuxSystem

/// Asks another process for the signatures that handshakes need.
///
/// OpenSSL calls back where it has a key of ``KeyPlace/elsewhere``, in whatever handshake that is,
/// so there is one channel for the whole process.
package enum RemoteSigner {
    /// How long the other process may take.
    private static let timeout: Duration = .seconds(10)

    // SAFETY: set once in a process with one thread, before its first handshake.
    nonisolated(unsafe) private static var channel: Channel?

    private final class Channel {
        let socket: MessageSocket

        init(_ socket: consuming MessageSocket) {
            self.socket = socket
        }
    }

    /// Has every later handshake of this process ask over `channel`.
    package static func use(_ channel: consuming MessageSocket) {
        unsafe Self.channel = Channel(channel)
    }

    /// Has the handshakes of `body` ask nobody, and answers up to `count` of them with what is no
    /// signature; for a process that has nobody to ask yet.
    ///
    /// - Throws: ``SystemError`` where there is no room for a channel.
    static func rehearse(_ count: Int, _ body: () -> Void) throws(SystemError) {
        try MessageSocket.makePair().split { near, far in
            let answer = SignatureReply.encoded([UInt8](repeating: 1, count: 64))
            for _ in 0..<count { try? far.send(answer) }
            // Whatever else is asked for, nobody waits for an answer.
            far.descriptor.endWriting()
            use(near)
            body()
            unsafe channel = nil
        }
    }

    /// Makes a key that has the public half of `certificateKey` and signs by asking.
    static func makeKey(_ certificateKey: OpaquePointer, number: Int32) -> OpaquePointer? {
        guard unsafe CRemoteKey_install(signElsewhere) == 1 else { return nil }
        return unsafe CRemoteKey_new(certificateKey, number)
    }

    /// Asks for one signature.
    ///
    /// - Returns: The signature; `nil` when there is none.
    fileprivate static func ask(_ request: SignatureRequest) -> [UInt8]? {
        guard let channel = unsafe channel else { return nil }
        let deadline = Deadline(after: timeout)
        do {
            try channel.socket.send(request.encoded)
            while true {
                var entries = [PollEntry(channel.socket.descriptor.number, reading: true)]
                if try poll(&entries, until: deadline) > 0 { break }
                if deadline.hasPassed {
                    // An answer that comes later must not be taken for that to another question.
                    unsafe Self.channel = nil
                    return nil
                }
            }
            guard let message = try channel.socket.receive() else { return nil }
            return SignatureReply(decoding: message.bytes)?.signature
        } catch {
            // Nor must the answer to this one, which may still come.
            unsafe Self.channel = nil
            return nil
        }
    }
}

/// What the process that keeps the keys answers.
package struct SignatureReply {
    private static let tag: UInt8 = 2

    /// The signature; empty when there is none.
    let signature: [UInt8]

    /// The message with a signature.
    package static func encoded(_ signature: [UInt8]) -> [UInt8] { [tag] + signature }

    init?(decoding message: [UInt8]) {
        guard message.first == Self.tag else { return nil }
        signature = [UInt8](message.dropFirst())
    }
}

/// What OpenSSL calls for a signature with a key of another process.
private func signElsewhere(
    _ key: Int32,
    _ digest: UnsafePointer<CChar>?,
    _ isPSS: CInt,
    _ message: UnsafePointer<UInt8>?,
    _ messageCount: Int,
    _ signature: UnsafeMutablePointer<UInt8>?,
    _ signatureCount: UnsafeMutablePointer<Int>?
) -> CInt {
    guard let digest = unsafe digest, let message = unsafe message,
        let signature = unsafe signature, let signatureCount = unsafe signatureCount,
        messageCount <= SignatureRequest.maximumMessageByteCount
    else { return 0 }
    let request = unsafe SignatureRequest(
        key: key,
        digest: String(cString: digest),
        isPSS: isPSS != 0,
        message: [UInt8](UnsafeBufferPointer(start: message, count: messageCount))
    )
    guard let answer = RemoteSigner.ask(request), !answer.isEmpty,
        unsafe answer.count <= signatureCount.pointee
    else { return 0 }
    for (index, byte) in answer.enumerated() { unsafe signature[index] = byte }
    unsafe signatureCount.pointee = answer.count
    return 1
}
