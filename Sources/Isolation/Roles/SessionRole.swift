internal import CLinux
internal import FTPProtocol
package import LinuxSystem
internal import Logging

/// What a Session begins with.
package struct SessionStart: ~Copyable {
    /// The control connection.
    package var control: OwnedDescriptor

    /// The client.
    package private(set) var peer: SocketAddress

    /// The address that the client connected to.
    package private(set) var local: SocketAddress

    /// A load balancer has connected, and tells in a PROXY header whom it speaks for.
    package let isProxied: Bool

    /// How the client has to begin.
    package let kind: ControlPort.Kind

    /// Whoever decides for the session.
    package let warden: any SessionWarden

    /// What a client that shows a certificate has to sign; empty where none is proved.
    package let challenge: [UInt8]

    /// Where the session writes what it is at.
    package let board: SessionBoard

    private var signer: MessageSocket?

    init(
        control: consuming OwnedDescriptor,
        peer: SocketAddress,
        local: SocketAddress,
        isProxied: Bool,
        kind: ControlPort.Kind,
        warden: any SessionWarden,
        challenge: [UInt8],
        signer: consuming MessageSocket?,
        board: SessionBoard = SessionBoard(on: nil)
    ) {
        self.challenge = challenge
        self.board = board
        self.signer = consume signer
        self.control = control
        self.peer = peer
        self.local = local
        self.isProxied = isProxied
        self.kind = kind
        self.warden = warden
    }

    /// Goes on with the client that the load balancer speaks for.
    package mutating func speak(for client: SocketAddress, to local: SocketAddress) {
        peer = client
        self.local = local
    }

    /// Hands over the channel to the process that signs handshakes, the first time.
    package mutating func takeSigner() -> MessageSocket? { signer.take() }

    /// Gives up everything but the control connection.
    package consuming func takeControl() -> OwnedDescriptor { control }
}

/// The process that speaks with the client: an unprivileged uid, no files, no way to make a socket.
enum SessionRole {
    /// Becomes a Session and serves one client.
    ///
    /// `body` is the protocol. It returns when the connection has ended.
    static func run(
        _ connection: consuming WardenConnection,
        channel: consuming MessageSocket,
        local: SocketAddress,
        challenge: [UInt8],
        settings: WardenSettings,
        board: SharedPage?,
        body: (consuming SessionStart) -> Void
    ) -> Never {
        DaemonProcess.setName("ftps-session")
        var signer = connection.signer.take()
        let (peer, kind) = (connection.peer, connection.kind)
        let control = connection.takeControl()
        do throws(SystemError) {
            try DaemonProcess.closeDescriptors(
                except: [
                    control.number, channel.descriptor.number, signer?.descriptor.number ?? -1,
                ])
            try DaemonProcess.resetSignals()
            // A terminal's ^C and a service manager's SIGTERM reach every process of the group; a
            // Session ends when its Warden asks it to.
            try DaemonProcess.outliveTermination()
            let channels = [channel.descriptor.number, signer?.descriptor.number ?? -1]
            try Confinement.enterSession(
                as: settings.unprivileged,
                settings.systemCalls,
                sendsFiles: settings.sendsFiles,
                encryptingBeside: settings.encryptsInKernel ? channels : []
            )
        } catch {
            let line = WardenRequest.log(.error, "cannot be confined: \(error)")
            try? channel.send(line.encoded)
            DaemonProcess.exit(RoleStatus.notConfined)
        }
        let warden = WardenClient(channel)
        body(
            SessionStart(
                control: control,
                peer: peer,
                local: local,
                isProxied: settings.proxyNetworks.contain(peer.address),
                kind: kind,
                warden: warden,
                challenge: challenge,
                signer: signer.take(),
                board: SessionBoard(on: board)
            )
        )
        DaemonProcess.exit(0)
    }
}

/// Exit statuses that mean something to the Warden.
enum RoleStatus {
    /// The process could not give up its rights, and so did nothing.
    static let notConfined: CInt = 70
    /// The process received a message that none of ours sends.
    static let violation: CInt = 71
    /// The process has run PAM, and a module has left a program behind.
    static let leavesChildren: CInt = 72

    /// How a process that has run PAM ends when all is well.
    static var ofModules: CInt {
        while DaemonProcess.reap() != nil {}
        return DaemonProcess.children?.isEmpty == false ? leavesChildren : 0
    }
}
