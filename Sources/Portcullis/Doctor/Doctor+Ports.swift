internal import FTPProtocol
internal import Isolation
internal import LinuxSystem
internal import SystemPackage
internal import TLS

// What listens where, and whether connections come through.

extension Doctor {
    /// How long a connection to oneself may take.
    private static let patience: Duration = .seconds(3)

    /// As many ports as can well be spared, so that losing some to other programs does not matter.
    private static let amplePortCount = 8_192

    /// Holds the range against the clients, the kernel's own ports, and other programs.
    mutating func checkPassiveRange() {
        let passive = configuration.passive
        guard passive.isEnabled, passive.minimumPort <= passive.maximumPort else { return }
        let range = passive.minimumPort...passive.maximumPort
        let clients = configuration.listening.maximumClients
        if clients > range.count {
            find(
                "passive-range",
                "\(range.count) passive ports are too few for max_clients=\(clients)",
                mend: "widen pasv_min_port to pasv_max_port, or lower max_clients"
            )
        }
        if range.count < Self.amplePortCount, let ephemeral = HostPorts.ephemeral,
            ephemeral.overlaps(range), !HostPorts.areReserved(ephemeral.clamped(to: range))
        {
            find(
                "passive-range",
                "the kernel gives the ports \(ephemeral.clamped(to: range)) to other programs too",
                mend: "move the range out of \(ephemeral), or name it in the sysctl"
                    + " net.ipv4.ip_local_reserved_ports"
            )
        }
        for port in HostPorts.listening(in: range) {
            find(
                "passive-range",
                "another program listens on \(port), which is one of the passive ports",
                mend: "stop it, or leave its port out of pasv_min_port to pasv_max_port"
            )
        }
    }

    /// Looks whether anything listens on the control port.
    mutating func isControlPortTaken() -> Bool {
        guard let place = controlPlace else { return false }
        do throws(SystemError) {
            _ = try OwnedDescriptor.listening(on: place.listening, backlog: 1)
            notes.append("no server runs on \(place.listening)")
            return false
        } catch {
            guard error.errno == .addressInUse else {
                find("control-port", "\(place.listening): \(error)", mend: "correct listen_address")
                return false
            }
            return true
        }
    }

    /// Looks whether what listens on the control port is this server.
    ///
    /// - Returns: Whether it is.
    mutating func checkControlPort(_ context: TLSClientContext) -> Bool {
        guard let place = controlPlace else { return false }
        do throws(ClientFailure) {
            let client = try FTPClient.connect(
                to: place.connecting,
                context,
                host: questions.hosts.first,
                isImplicit: configuration.tls.isImplicit,
                patience: Self.patience
            )
            guard configuration.tls.isEnabled else { return true }
            if !configuration.tls.isImplicit { try client.secure(host: questions.hosts.first) }
            checkServedCertificate(client)
            return true
        } catch {
            find(
                "control-port",
                "what listens on \(place.listening) is not this server: \(error.text)",
                mend: "stop that program, or choose another listen_port"
            )
            return false
        }
    }

    /// Where the server listens for explicit TLS, and where that is reached from here.
    var controlPlace: (listening: SocketAddress, connecting: SocketAddress)? {
        let listening = configuration.listening
        guard listening.port != 0, listening.ipv4 || listening.ipv6 else { return nil }
        if listening.ipv4 {
            let any = IPAddress.v4(0)
            let own = listening.address ?? any
            let reached = own.isUnspecified ? IPAddress.v4(0x7F00_0001) : own
            return (
                SocketAddress(own, port: listening.port),
                SocketAddress(reached, port: listening.port)
            )
        }
        let own = listening.address6?.address ?? .v6(high: 0, low: 0)
        let reached = own.isUnspecified ? IPAddress.v6(high: 0, low: 1) : own
        return (
            SocketAddress(own, port: listening.port), SocketAddress(reached, port: listening.port)
        )
    }

    private mutating func checkServedCertificate(_ client: FTPClient) {
        if let problem = client.control.certificateProblem {
            find(
                "certificate-trust",
                "clients that ask their authorities refuse the certificate: \(problem)",
                mend:
                    "have it issued by an authority that clients know, or name theirs by --ca-file"
            )
        }
        if configuration.tls.hostDirectory == nil, let served = client.control.certificateDigest,
            !digests.contains(served)
        {
            find(
                "certificate-served",
                "the server serves another certificate than the one in its file",
                mend: "run systemctl reload portcullis, or send SIGHUP"
            )
        }
    }

    /// Looks whether connections to the announced address come to this machine.
    mutating func checkAdvertisedAddress() {
        let passive = configuration.passive
        guard passive.isEnabled else { return }
        guard let announced = announcedAddress else {
            guard let own = HostPorts.mainAddress, own.isPrivate, !own.isLoopback else { return }
            notes.append(
                "clients are told \(own), which is of no use outside of this network; behind a NAT"
                    + " set pasv_address"
            )
            return
        }
        if announced.isPrivate {
            find(
                "advertised-address",
                "pasv_address announces \(announced), which only this network can reach",
                mend: "write the address under which clients know this server"
            )
        }
        tryPassivePort(at: announced)
    }

    private var announcedAddress: IPAddress? {
        guard configuration.passive.address != nil else { return nil }
        return (try? Gateway.resolvePassiveAddress(report)) ?? nil
    }

    /// Listens on a passive port for a moment, and connects to it as a client would.
    private mutating func tryPassivePort(at address: IPAddress) {
        let isOwn = HostPorts.isOwn(address)
        guard let meeting = Rendezvous.open(configuration.passive) else {
            find(
                "passive-range",
                "not one of the passive ports can be opened",
                mend: "stop the programs that have them, or move the range"
            )
            return
        }
        let target = SocketAddress(address, port: meeting.port)
        guard let failure = meeting.meet(at: target, within: Self.patience) else { return }
        if isOwn {
            find(
                "firewall",
                "\(target) cannot be reached on this machine itself: \(failure)",
                mend:
                    "let pasv_min_port to pasv_max_port in, such as: nft add rule inet filter input"
                    + " tcp dport \(configuration.passive.minimumPort)-"
                    + "\(configuration.passive.maximumPort) accept"
            )
        } else {
            find(
                "nat",
                "connections to \(target) do not come to this machine: \(failure)",
                mend: "have the router forward pasv_min_port to pasv_max_port here; if it does and"
                    + " does not reflect what comes from inside, try nc -vz from outside"
            )
        }
    }

    /// Looks whether passive ports of this machine are reached, where no address is announced.
    mutating func checkOwnPorts() {
        guard configuration.passive.isEnabled, announcedAddress == nil else { return }
        let own = controlPlace?.connecting.address
        let place = own?.isLoopback == false ? own : HostPorts.mainAddress
        guard let place, place.family == .ipv4 else { return }
        tryPassivePort(at: place)
    }
}
