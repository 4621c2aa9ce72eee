internal import FTPProtocol
internal import Isolation
internal import LinuxSystem

// Where clients connect: ports that the configuration names, or sockets that are handed over.

extension Gateway {
    /// The ports that are opened where the service manager hands nothing over.
    static func controlPorts(
        _ report: ConfigurationReport
    ) throws(ServerError) -> [ControlPort] {
        let (listening, tls) = (report.configuration.listening, report.configuration.tls)
        var addresses: [SocketAddress] = []
        if listening.ipv4 {
            addresses.append(SocketAddress(listening.address ?? .v4(0), port: listening.port))
        }
        if listening.ipv6 { addresses.append(try address6(report)) }
        var ports = addresses.map { ControlPort($0, tls.isImplicit ? .implicitTLS : .explicitTLS) }
        let others: [(port: UInt16?, kind: ControlPort.Kind)] = [
            (listening.implicitPort, .implicitTLS), (listening.plainPort, .plain),
        ]
        for other in others where tls.isEnabled {
            guard let port = other.port else { continue }
            ports += addresses.map {
                ControlPort(SocketAddress($0.address, port: port, scope: $0.scope), other.kind)
            }
        }
        return ports
    }

    /// How clients of a socket begin that is handed over, by the name that it has there.
    static func kindOfInheritedSockets(
        _ configuration: Configuration
    ) -> @Sendable (String) -> ControlPort.Kind {
        let isImplicit = configuration.tls.isImplicit
        return { name in
            switch name {
            case "implicit": .implicitTLS
            case "plain": .plain
            default: isImplicit ? .implicitTLS : .explicitTLS
            }
        }
    }

    /// Refuses sockets whose names promise, or permit, what the configuration does not.
    ///
    /// - Throws: ``ServerError`` where that is so, or where there is no socket of either sort.
    static func checkSockets(_ report: ConfigurationReport) throws(ServerError) {
        let (listening, tls) = (report.configuration.listening, report.configuration.tls)
        let names = InheritedSocket.names
        if names.isEmpty, !listening.ipv4, !listening.ipv6 {
            throw .option(
                "listen",
                "NO",
                report,
                "neither IPv4 nor IPv6 is listened on, and the service manager hands no socket over",
                mend: "write listen=YES or listen_ipv6=YES, or start by a socket unit"
            )
        }
        for name in names {
            if name == "implicit", !tls.isEnabled {
                throw ServerError(
                    "the service manager hands a socket over for implicit TLS, and ssl_enable=NO:"
                        + " write ssl_enable=YES, or give the socket no FileDescriptorName=implicit"
                )
            }
            // The name of a socket alone is no wish for plain FTP in the administrator's own file.
            if name == "plain", tls.isEnabled, listening.plainPort == nil {
                throw ServerError(
                    "the service manager hands a socket over for plain FTP, which nothing permits:"
                        + " write plain_listen_port=21, or give the socket no FileDescriptorName=plain"
                )
            }
        }
    }

    private static func address6(
        _ report: ConfigurationReport
    ) throws(ServerError) -> SocketAddress {
        let listening = report.configuration.listening
        let wanted = listening.address6
        var scope: UInt32 = 0
        if let wanted, let zone = wanted.zone {
            guard let number = interfaceNumber(named: zone) ?? UInt32(zone), number > 0 else {
                throw .option(
                    "listen_address6",
                    "\(wanted)",
                    report,
                    "this machine has no interface \(zone)",
                    mend: "name one that `ip link` shows"
                )
            }
            scope = number
        }
        return SocketAddress(
            wanted?.address ?? .v6(high: 0, low: 0),
            port: listening.port,
            scope: scope
        )
    }
}
