internal import FTPProtocol
internal import Glibc
internal import LinuxSystem
internal import Logging

// Who connects, and who is turned away.

extension Listener {
    func acceptClients(_ body: (consuming SessionStart) -> Void) {
        for socket in sockets {
            // A bounded number in a row, so that one busy port cannot starve the others.
            for _ in 0..<64 {
                do throws(SystemError) {
                    guard let client = try socket.descriptor.accept() else { break }
                    hasFailedToAccept = false
                    serve(client, socket.kind, body)
                } catch {
                    // Once, and not each time that it is tried again.
                    if !hasFailedToAccept { logger.error("accept: \(error)") }
                    hasFailedToAccept = true
                    isFull = true
                    break
                }
            }
        }
    }

    private func serve(
        _ client: consuming AcceptedConnection,
        _ kind: ControlPort.Kind,
        _ body: (consuming SessionStart) -> Void
    ) {
        let peer = client.peer
        let control = client.takeDescriptor()
        // Whom a proxy speaks for, if for anybody, is known when its Session has read the header; every
        // limit is asked then.
        let isProxy = settings.warden.proxyNetworks.contain(peer.address)
        if let refusal = isProxy ? counter.refusalOfUnnamed() : refusal(of: peer.address) {
            refuse(control, peer, refusal, kind)
            return
        }
        let isQuiet = !mayLogConnection()
        var page: PageBox?
        var trail: AuditChannelEnd?
        do throws(SystemError) {
            // Not mapped here: a Session that is forked later must not have it.
            if admin != nil { page = PageBox(try SharedPage.make()) }
            trail = try auditor?.makeChannel()
        } catch {
            refuse(control, peer, .noResources, kind)
            return
        }
        let signerChannel = signer?.makeChannel()
        guard !hasSigner || signerChannel != nil else {
            refuse(control, peer, .noResources, kind)
            return
        }
        let connection = WardenConnection(
            control: control,
            peer: peer,
            kind: kind,
            identifier: randomWord(count: 8),
            isQuiet: isQuiet,
            isAudited: trail?.isRequired ?? false,
            signer: signerChannel,
            trail: trail?.takeSessionEnd(),
            page: page
        )
        if let warden = freeWardens.place(connection) {
            follow(warden, connection, trail, isProxy: isProxy)
            return
        }
        var offer: WardenConnection? = connection
        do throws(SystemError) {
            let warden = try startWarden(&offer, body)
            guard let connection = offer.take() else { return }
            follow(warden, connection, trail, isProxy: isProxy)
        } catch {
            guard let control = offer.take()?.takeControl() else { return }
            refuse(control, peer, .noResources, kind)
        }
    }

    /// Starts a Warden, which takes its copy of the connection along.
    private func startWarden(
        _ offer: inout WardenConnection?,
        _ body: (consuming SessionStart) -> Void
    ) throws(SystemError) -> WardenProcess {
        let pair = try MessageSocket.makePair()
        switch try DaemonProcess.fork() {
        case .child:
            guard let connection = offer.take() else { DaemonProcess.exit(1) }
            Warden.run(
                connection,
                leash: leash.output,
                census: pair.takeSecond(),
                settings: settings.warden,
                authorizers: authorizers,
                certificateCheck: certificateCheck,
                logs: logs,
                events: events,
                logger: loggerOfSessions,
                body: body
            )
        case .parent(let process):
            freeWardens.noteStart(process)
            meter?.noteStart(of: .warden)
            return WardenProcess(process, pair.takeFirst())
        }
    }

    /// What the lines of all sessions begin with.
    private var loggerOfSessions: Logger {
        var logger = logger
        if !settings.offersTLS { logger[metadataKey: ClearMark.key] = ClearMark.value }
        return logger
    }

    /// Counts a connection that has a Warden, and follows its session.
    private func follow(
        _ warden: WardenProcess,
        _ connection: borrowing WardenConnection,
        _ trail: AuditChannelEnd?,
        isProxy: Bool
    ) {
        guard let channel = warden.takeChannel() else { return }
        let process = warden.number
        if isProxy {
            counter.addUnnamed(process)
        } else {
            counter.add(process, from: connection.peer.address)
        }
        let logger = connection.marked(loggerOfSessions)
        do throws(SystemError) {
            try census.add(
                process,
                channel,
                identifier: connection.identifier,
                address: connection.peer.address,
                hasClient: !isProxy,
                page: connection.page
            )
        } catch {
            // Nobody would ever answer it.
            logger.error("session ended: its reports cannot be waited for: \(error)")
            DaemonProcess.signal(process, SIGKILL)
        }
        if let trail { auditor?.add(process, trail) }
        if !isProxy, !connection.isQuiet { logger.info("connected") }
        meter?.count(Metrics.connections)
    }

    func refusal(of address: IPAddress) -> ClientRefusal? {
        if auditor?.isStalled ?? false { return .notAudited }
        if let refusal = refusalByPast(address) { return refusal }
        if settings.maximumLoad > 0, loadAverageInHundredths() > settings.maximumLoad {
            return .tooBusy
        }
        if counter.isFull(address) { return .tooManyFromAddress }
        return makeRoom(for: address)
    }

    /// Why there is no room for one more session, or `nil`.
    ///
    /// Where there is none, whoever has been silent for long before a login makes some: connections
    /// that are only held open keep nobody out.
    private func makeRoom(for newcomer: IPAddress) -> ClientRefusal? {
        let isFull = counter.refusal(of: newcomer, leaving: census.leavingCount) != nil
        let isCrowded =
            settings.maximumPendingClients > 0
            && census.pendingCount >= settings.maximumPendingClients
        guard isFull || isCrowded else { return nil }
        guard let dismissed = census.dismissOne(for: newcomer) else {
            return isFull ? .tooManyClients : .tooManyBeforeLogin
        }
        logRefusal(
            "client sent away before the login, to make room",
            [
                "session": .string(dismissed.identifier),
                "address": .stringConvertible(dismissed.address),
            ]
        )
        return nil
    }

    /// Why a client is refused for what came from its address before.
    private func refusalByPast(_ address: IPAddress) -> ClientRefusal? {
        if bans.holds(address) { return .banned }
        return rates.isTooMany(from: address) ? .tooOften : nil
    }

    private func refuse(
        _ control: consuming OwnedDescriptor,
        _ peer: SocketAddress,
        _ refusal: ClientRefusal,
        _ kind: ControlPort.Kind
    ) {
        meter?.note(refusal)
        logRefusal(
            "client refused",
            ["peer": .stringConvertible(peer), "why": .string(refusal.logText)]
        )
        let event = TransferLogEvent.connection(refusal: refusal.ownLogText)
        logs?.write(event, about: LoggedClient(peer.address), logger)
        auditor?.recordRefusal(of: peer, refusal.logText)
        guard kind != .implicitTLS else { return }
        _ = unsafe settings.refusalReply(refusal).withUnsafeBytes { unsafe control.send($0) }
    }

    /// Whether the coming and going of one more client is written down, unless it logs in.
    private func mayLogConnection() -> Bool {
        connectionBudget.admits {
            logger.warning("connections that the log says nothing about: \($0)")
        }
    }

    /// Writes a line about a client that is turned away, unless there were too many of late.
    private func logRefusal(_ text: String, _ metadata: Logger.Metadata) {
        let mayLog = refusalBudget.admits {
            logger.warning("lines about clients that were turned away dropped: \($0)")
        }
        if mayLog { logger.notice("\(text)", metadata: metadata) }
    }
}
