internal import FTPProtocol
internal import LinuxSystem
internal import Logging
internal import SystemPackage

// The start of an active data connection.

extension Warden {
    /// Starts a connection to where the client waits for it, if it may lead there.
    func connectForData(_ address: IPAddress, _ port: UInt16) throws(SystemError) {
        let remote = SocketAddress(address, port: port, scope: peer.scope)
        do throws(SystemError) {
            let mayConnect =
                settings.allowsActive
                && (settings.allowsForeignActive || remote.address == peer.address)
                && (settings.allowsPrivilegedActive || port >= 1024)
            guard mayConnect, port != 0 else {
                if mayLog() {
                    logger.warning(
                        "active connection refused",
                        metadata: ["to": .stringConvertible(remote)]
                    )
                }
                throw SystemError("connect", .notPermitted)
            }
            // A proxy may have clients of the one kind and reach this machine by the other; the
            // kernel then chooses where the connection leaves from.
            let isSameKind = local.address.family == remote.address.family
            let any: IPAddress = remote.address.family == .ipv4 ? .v4(0) : .v6(high: 0, low: 0)
            let origin = SocketAddress(
                isSameKind ? local.address : any,
                port: settings.activePort,
                scope: isSameKind ? local.scope : 0
            )
            let socket = try OwnedDescriptor.connecting(to: remote, from: origin)
            try channel.send(WardenReply.connecting.encoded, with: socket)
        } catch {
            let failure: DataSocketFailure = error.errno == .notPermitted ? .forbidden : .failed
            try channel.send(WardenReply.noDataSocket(failure).encoded)
        }
    }
}
