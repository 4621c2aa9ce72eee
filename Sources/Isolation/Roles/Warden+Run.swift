internal import Authentication
internal import FTPProtocol
internal import LinuxSystem
internal import Logging

// The process of a Warden, from its fork to its end.

extension Warden {
    /// Connections that one process serves at most, one after the other.
    private static let maximumConnectionCount = 50

    /// Becomes the Warden of a connection that was just accepted, in a process of its own.
    ///
    /// `leash` is a pipe whose other end only the Listener holds; it hangs up when the server is to
    /// end, or has ended. The Session runs `body`. As long as sessions end without having asked for
    /// anything that may leave something behind, the process serves another one then, with everything
    /// made anew.
    static func run(
        _ connection: consuming WardenConnection,
        leash: borrowing OwnedDescriptor,
        census: consuming MessageSocket,
        settings: WardenSettings,
        authorizers: [any Authorizer],
        certificateCheck: CertificateCheck?,
        logs: TransferLogs?,
        events: EventChannel?,
        logger: Logger,
        body: (consuming SessionStart) -> Void
    ) -> Never {
        DaemonProcess.setName("ftps-warden")
        let census = CensusClient(census)
        let kept =
            [leash.number, census.pollNumber, events?.number ?? -1]
            + (logs?.descriptorNumbers ?? [])
        var next: WardenConnection? = connection
        do throws(SystemError) {
            try DaemonProcess.resetSignals()
            try DaemonProcess.outliveTermination()
            try Confinement.enterWarden()
            var count = 0
            while let connection = next.take() {
                count += 1
                // Nothing that another process was meant to have, nor what an earlier session has left.
                try DaemonProcess.closeDescriptors(except: kept + connection.descriptorNumbers)
                weak var last: Warden?
                let isUnspoilt: Bool
                do {
                    let warden = try begin(
                        connection,
                        leash: leash.number,
                        census: census,
                        settings: settings,
                        authorizers: authorizers,
                        certificateCheck: certificateCheck,
                        logs: logs,
                        logger: logger,
                        body: body
                    )
                    last = warden
                    warden.events = events
                    warden.serve()
                    warden.end()
                    if warden.isUsed { DaemonProcess.exit(RoleStatus.ofModules) }
                    isUnspoilt = warden.isUnspoilt
                }
                // With it go the pages that it has mapped, which no Session may have.
                guard isUnspoilt, last == nil, count < maximumConnectionCount else { break }
                next = awaitConnection(census, leash.number)
                // Sessions begin as those that are forked from a new process.
                DaemonProcess.wipeFreedMemory(false)
            }
        } catch {
            logger.error("session not started: \(error)")
            DaemonProcess.exit(1)
        }
        DaemonProcess.exit(0)
    }

    /// Starts the Session of a connection, and the Warden that it has here.
    private static func begin(
        _ connection: consuming WardenConnection,
        leash: CInt,
        census: CensusClient,
        settings: WardenSettings,
        authorizers: [any Authorizer],
        certificateCheck: CertificateCheck?,
        logs: TransferLogs?,
        logger: Logger,
        body: (consuming SessionStart) -> Void
    ) throws(SystemError) -> Warden {
        let local = try connection.control.localAddress()
        // Made on this side of the fork: a Session that chose it could have it signed before.
        let challenge = settings.certificates.needsProof ? randomBytes(count: 32) : []
        let pair = try MessageSocket.makePair()
        switch try DaemonProcess.fork() {
        case .child:
            let board = connection.page.flatMap { try? SharedPage(mapping: $0.descriptor) }
            SessionRole.run(
                connection,
                channel: pair.takeSecond(),
                local: local,
                challenge: challenge,
                settings: settings,
                board: board,
                body: body
            )
        case .parent(let session):
            // PAM reads others' hashes in this process, and the Agent is forked from it.
            DaemonProcess.wipeFreedMemory(true)
            var trail: AuditClient?
            if let channel = connection.trail.take() {
                trail = AuditClient(
                    channel,
                    session: connection.identifier,
                    isRequired: connection.isAudited,
                    leash: leash
                )
            }
            // The Session has the connection now; no privileged process keeps it, which goes with the
            // rest of what this one was given.
            return Warden(
                peer: connection.peer,
                local: local,
                settings: settings,
                authorizers: authorizers,
                channel: pair.takeFirst(),
                census: census,
                session: session,
                leash: leash,
                certificateCheck: certificateCheck,
                challenge: challenge,
                logs: logs,
                logger: connection.marked(logger),
                isQuiet: connection.isQuiet,
                trail: trail
            )
        }
    }

    /// Waits for another connection; `nil` when there will be none.
    private static func awaitConnection(
        _ census: CensusClient,
        _ leash: CInt
    ) -> WardenConnection? {
        do {
            try census.noteFree()
            var entries = [
                PollEntry(leash, reading: true), PollEntry(census.pollNumber, reading: true),
            ]
            var isDue = false
            while !isDue {
                _ = try poll(&entries, until: .never)
                isDue = entries.contains(where: \.isReadable)
            }
            // Whoever was handed over before the end began is told of it by a Session.
            return entries[1].isReadable ? try census.nextConnection() : nil
        } catch {
            return nil
        }
    }
}
