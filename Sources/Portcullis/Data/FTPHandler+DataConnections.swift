internal import FTPProtocol
internal import Isolation
internal import LinuxSystem
internal import Logging
internal import TLS

// PASV, EPSV, PORT and EPRT: where the next data connection comes from or leads to.

extension FTPHandler {
    /// Whether this session's data connections have to bring a session or a certificate.
    final var reuseRule: ReuseRule { ReuseRule(configuration.tls, peer.address) }

    /// Where passive data connections may come from: a NAT in front may show those of one client
    /// under several addresses.
    private var passiveOrigin: AdmissionPolicy.Origin {
        let passive = configuration.passive
        if passive.isPromiscuous { return .anywhere }
        let networks = passive.promiscuousNetworks
        return networks.contain(peer.address) ? .networks(networks) : .controlAddress
    }

    private func admission(_ origin: AdmissionPolicy.Origin) -> AdmissionPolicy {
        AdmissionPolicy(
            controlPeer: peer,
            controlCertificate: control.stream.peerCertificateDigest,
            reuse: reuseRule,
            origin: origin,
            proxies: configuration.listening.proxyNetworks
        )
    }

    /// Begins a connection to where PORT or EPRT said; `nil` when there is no socket for it.
    final func connect(to target: SocketAddress) throws(SessionEnd) -> ActiveDTP? {
        let outcome: DataSocketOutcome
        do throws(WardenGone) {
            outcome = try warden.connectForData(to: target)
        } catch {
            throw .processGone
        }
        guard case .socket(let socket, _, _) = consume outcome else { return nil }
        let type = settings.embedding?.activeDTP ?? ActiveDTP.self
        return type.init(
            DTPOpening(
                socket,
                target,
                for: self,
                policy: admission(
                    configuration.active.isPromiscuous ? .anywhere : .controlAddress
                ),
                timeout: configuration.timeouts.connect
            )
        )
    }

    /// Forgets where the next data connection would have come from.
    ///
    /// Each of PASV, EPSV, PORT and EPRT begins with it, so that a session never holds two ports,
    /// and so that a refused one does not leave the transfer to an earlier place that the client
    /// no longer means (as with vsftpd).
    private func forgetDataConnection() {
        dataSource = nil
        activeTarget = nil
    }

    final func enterPassiveMode() throws(SessionEnd) {
        forgetDataConnection()
        guard !allowsOnlyExtendedPassive else {
            try reply(501, "PASV not allowed after EPSV ALL.")
            return
        }
        guard local.address.family == .ipv4 else {
            try reply(425, "PASV is for IPv4 alone; use EPSV.")
            return
        }
        guard let (port, announced) = try listen() else { return }
        let known = configuration.passive.announcedAddress(
            for: local.address,
            to: peer.address,
            general: announced ?? settings.advertisedAddress
        )
        guard let address = known else {
            dataSource = nil
            try reply(425, "This server does not know its address yet; use EPSV, or try later.")
            return
        }
        let shown = HostPort(address: address, port: port)
        try reply(227, "Entering Passive Mode (\(shown.text ?? "0,0,0,0,0,0")).")
    }

    final func enterExtendedPassiveMode(_ argument: [UInt8]) throws(SessionEnd) {
        forgetDataConnection()
        let wish: ExtendedPassiveArgument
        do throws(ExtendedAddressError) {
            wish = try ExtendedPassiveArgument(argument: argument)
        } catch {
            try refuse(error, "EPSV")
            return
        }
        switch wish {
        case .all:
            allowsOnlyExtendedPassive = true
            try reply(200, "EPSV ALL ok.")
        case .family(let family) where family != local.address.family:
            try refuse(.unsupportedProtocol, "EPSV")
        case .any, .family:
            guard let (port, _) = try listen() else { return }
            try reply(229, "Entering Extended Passive Mode (|||\(port)|).")
        }
    }

    /// Opens a port for one data connection, and prepares for that; `nil` after a reply that says why
    /// there is none.
    private func listen() throws(SessionEnd) -> (port: UInt16, announced: IPAddress?)? {
        guard configuration.passive.isEnabled else {
            try reply(502, "Passive mode is switched off on this server.")
            return nil
        }
        let outcome: DataSocketOutcome
        var end: SessionEnd?
        do throws(WardenGone) {
            outcome = try warden.listenForData {
                do throws(SessionEnd) {
                    try prepareForDataConnection()
                } catch {
                    end = error
                }
            }
        } catch {
            throw .processGone
        }
        if let end { throw end }
        switch consume outcome {
        case .failed(let failure):
            let text =
                switch failure {
                case .rangeExhausted: "No passive port is free, please try later."
                case .tooMany: "Too many passive ports are open for your address."
                case .forbidden, .failed: "Cannot open a passive port."
                }
            try reply(425, text)
            return nil
        case .socket(let listener, let port, let announced):
            let type = settings.embedding?.passiveDTP ?? PassiveDTP.self
            dataSource = type.init(
                DTPOpening(
                    listener,
                    SocketAddress(local.address, port: port, scope: local.scope),
                    for: self,
                    policy: admission(passiveOrigin),
                    timeout: configuration.timeouts.accept
                )
            )
            return (port, announced)
        }
    }

    final func setPort(_ argument: [UInt8]) throws(SessionEnd) {
        forgetDataConnection()
        guard try mayUseActiveMode("PORT") else { return }
        guard let target = HostPort(argument: argument) else {
            try reply(501, "PORT takes six numbers from 0 to 255.")
            return
        }
        try setTarget(target.address, target.port, "PORT", better: "PASV")
    }

    final func setExtendedPort(_ argument: [UInt8]) throws(SessionEnd) {
        forgetDataConnection()
        guard try mayUseActiveMode("EPRT") else { return }
        let target: ExtendedAddress
        do throws(ExtendedAddressError) {
            target = try ExtendedAddress(argument: argument)
        } catch {
            try refuse(error, "EPRT")
            return
        }
        guard target.address.family == local.address.family else {
            // The mapped form of an IPv4 address is one more way to write a third host's.
            let shown = SocketAddress(target.address, port: target.port)
            logRefusal(of: shown, "EPRT", "not the control connection's protocol")
            try refuse(.unsupportedProtocol, "EPRT")
            return
        }
        try setTarget(target.address, target.port, "EPRT", better: "EPSV")
    }

    private func refuse(_ error: ExtendedAddressError, _ verb: String) throws(SessionEnd) {
        switch error {
        case .malformed: try reply(501, "Bad \(verb) command.")
        case .unsupportedProtocol:
            let number = local.address.family == .ipv4 ? 1 : 2
            try reply(522, "Network protocol not supported, use (\(number)).")
        }
    }

    private func mayUseActiveMode(_ verb: String) throws(SessionEnd) -> Bool {
        if allowsOnlyExtendedPassive {
            try reply(501, "\(verb) not allowed after EPSV ALL.")
            return false
        }
        guard configuration.active.isEnabled else {
            try reply(502, "Active mode is switched off on this server; use passive mode.")
            return false
        }
        return true
    }

    private func setTarget(
        _ address: IPAddress,
        _ port: UInt16,
        _ verb: String,
        better: String
    ) throws(SessionEnd) {
        let target = SocketAddress(address, port: port, scope: peer.scope)
        // The Warden checks this once more when it makes the connection.
        let active = configuration.active
        let isForeign = !active.isPromiscuous && target.address != peer.address
        if isForeign || !active.allowsPrivilegedPorts && port < 1_024 {
            let why = isForeign ? "not the client's address" : "a privileged port"
            logRefusal(of: target, verb, why)
            try reply(500, "Illegal \(verb) command.")
            return
        }
        activeTarget = target
        try prepareForDataConnection()
        try reply(200, "\(verb) command successful. Consider using \(better).")
    }

    /// Leaves one line about what may have been a try to use this server against another one; the
    /// Warden bounds how many lines a session may write.
    private func logRefusal(of target: SocketAddress, _ verb: String, _ why: String) {
        log(.warning, "\(verb) to \(target) refused: \(why)")
    }
}
