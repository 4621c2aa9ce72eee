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
    private var isData = false

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
        isData = role == .data
    }

    /// Takes the handshake as far as it goes.
    package func handshake() -> TLSStep {
        guard let step = tls?.handshake() else { return .done }
        // On a data connection it is known later which side goes on.
        if case .done = step, !isData { acknowledgeHandshake() }
        return step
    }

    /// Tells the client's kernel at once that the end of the handshake has arrived.
    ///
    /// For where nothing is sent in answer to the client's last words: a client that sends small
    /// packets only when the ones before have arrived would wait 40 ms before it goes on.
    package func acknowledgeHandshake() {
        if isTLS { descriptor.acknowledgeAtOnce() }
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

    /// Whether the kernel encrypts what is sent, so that it may send files by itself.
    package var isEncryptedByKernel: Bool { tls?.isEncryptedByKernel ?? false }

    /// Has the next bytes bring a session ticket, on a control connection under TLS 1.3.
    package func issueTicket() -> TLSStep { tls?.issueTicket() ?? .done }

    /// Ends our direction: `close_notify` under TLS.
    ///
    /// On a data connection it leaves with ``endWriting()``, which has to follow; but not where the
    /// kernel encrypts.
    package func sendCloseNotify() -> TLSStep {
        if isData, !isEncryptedByKernel { descriptor.holdLastPacket() }
        return tls?.sendCloseNotify() ?? .done
    }

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

    /// What TLS has agreed on; `nil` in clear.
    package var tlsFacts: TLSFacts? { tls?.facts ?? nil }

    /// Hands over what proves the client's certificate to another process.
    package func takeClientProof() -> [UInt8]? { tls?.takeClientProof() ?? nil }

    /// Why the client's certificate was refused.
    package var certificateRefusal: CertificateRefusal? { tls?.certificateRefusal ?? nil }

    /// The SHA-256 digest of the client's certificate.
    package var peerCertificateDigest: [UInt8]? { tls?.peerCertificateDigest ?? nil }
}
