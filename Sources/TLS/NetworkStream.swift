package import LinuxSystem

/// A TCP connection, plain or under TLS, that never waits.
///
/// Every operation returns at once and says what to wait for.
package final class NetworkStream {
    /// The socket, for `poll(2)`.
    package let descriptor: OwnedDescriptor

    /// Whom the connection leads to; a proxy may stand in between, and has said so then.
    package private(set) var peer: SocketAddress

    private var tls: TLSConnection?

    /// Takes over a non-blocking socket.
    package init(owning descriptor: consuming OwnedDescriptor, peer: SocketAddress) {
        self.descriptor = descriptor
        self.peer = peer
    }

    /// Goes on with the client that a proxy speaks for.
    package func speak(for client: SocketAddress) { peer = client }

    /// Whether TLS has begun; from then on nothing is ever sent in clear.
    package var isTLS: Bool { tls != nil }

    /// Begins TLS as the server; ``handshake()`` follows.
    package func beginTLS(
        _ context: TLSContext,
        as role: TLSRole,
        challenge: [UInt8]? = nil
    ) throws(TLSError) {
        tls = try TLSConnection.accepting(
            on: descriptor,
            context: context,
            role: role,
            challenge: challenge
        )
    }

    /// Takes the handshake as far as it goes.
    package func handshake() -> TLSStep {
        guard let step = tls?.handshake() else { return .done }
        // Nothing is sent in answer to the client's last words. A client that sends small packets
        // only when the ones before have arrived would wait 40 ms before its first command.
        if case .done = step { descriptor.acknowledgeAtOnce() }
        return step
    }

    /// Reads what is there.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        guard tls != nil else { return unsafe descriptor.receive(into: buffer) }
        return unsafe tls?.read(into: buffer) ?? .failed
    }

    /// Takes a piece of at most ``TLSConnection/pieceByteCount`` bytes to send.
    ///
    /// Under TLS call ``flush()`` until it is done before the next piece.
    package func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
        guard tls != nil else { return unsafe descriptor.send(bytes) }
        return unsafe tls?.write(bytes) ?? .failed
    }

    /// Sends what ``write(_:)`` has gathered.
    package func flush() -> TLSStep { tls?.flush() ?? .done }

    /// Issues a session ticket on a control connection under TLS 1.3.
    package func issueTicket() -> TLSStep { tls?.issueTicket() ?? .done }

    /// Continues what ``issueTicket()`` could not send at once.
    package func continueTicket() -> TLSStep { tls?.continueTicket() ?? .done }

    /// Ends our direction: `close_notify` under TLS.
    package func sendCloseNotify() -> TLSStep { tls?.sendCloseNotify() ?? .done }

    /// Ends our direction of the TCP connection.
    package func endWriting() { descriptor.endWriting() }

    /// Whether TLS resumed the control connection's session.
    package var isResumed: Bool { tls?.isResumed ?? false }

    /// Whether the client chose `ftp` by ALPN.
    package var hasApplicationProtocol: Bool { tls?.hasApplicationProtocol ?? false }

    /// The host that the client named in the TLS handshake, or `nil`.
    package var serverName: String? { tls?.serverName ?? nil }

    /// Whether the TLS handshake failed because of it, or because there was none.
    package var isNameRefused: Bool { tls?.isNameRefused ?? false }

    /// The protocol version and suite, or `plain`.
    package var summary: String { tls?.summary ?? "plain" }

    /// Hands over what proves the client's certificate to another process.
    package func takeClientProof() -> [UInt8]? { tls?.takeClientProof() ?? nil }

    /// Why the client's certificate was refused.
    package var certificateRefusal: CertificateRefusal? { tls?.certificateRefusal ?? nil }

    /// The SHA-256 digest of the client's certificate.
    package var peerCertificateDigest: [UInt8]? { tls?.peerCertificateDigest ?? nil }
}
