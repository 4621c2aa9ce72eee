internal import FTPProtocol
internal import Isolation
internal import LinuxSystem
internal import Logging
internal import TLS

/// What a ``PassiveDTP`` or an ``ActiveDTP`` begins with; there is nothing else to be done with it.
public final class DTPOpening {
    let handler: FTPHandler
    let level: ProtectionLevel
    let policy: AdmissionPolicy
    let tls: TLSContext?
    let timeout: Duration
    let handshakeTimeout: Duration
    /// The client's end that it leads to, or our own that is listened on.
    let remote: SocketAddress
    /// Takes lines for the log.
    let report: (String) -> Void
    private var socket: OwnedDescriptor?

    init(
        _ socket: consuming OwnedDescriptor,
        _ remote: SocketAddress,
        for handler: FTPHandler,
        policy: AdmissionPolicy,
        timeout: Duration
    ) {
        self.socket = consume socket
        self.remote = remote
        self.handler = handler
        self.policy = policy
        self.timeout = timeout
        level = handler.protectionLevel
        tls = handler.tlsContext
        handshakeTimeout = handler.configuration.tls.handshakeTimeout
        let warden = handler.warden
        report = { warden.log(.notice, $0) }
    }

    /// Hands the socket over.
    ///
    /// - Precondition: It was not handed over before.
    func takeSocket() -> OwnedDescriptor {
        guard let socket = socket.take() else {
            preconditionFailure("an opening is for one port or one connection alone")
        }
        return socket
    }
}
