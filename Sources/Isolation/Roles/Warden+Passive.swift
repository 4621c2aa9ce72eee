internal import FTPProtocol
internal import LinuxSystem
internal import Logging

// Ports for passive data connections.

/// What a Warden remembers of the passive ports that it has given away.
struct PassiveState {
    /// Those that the Session may still hold.
    var ports: [UInt16] = []
    /// The address that PASV announces, where that may change.
    var announced: SharedPage?
    /// What the clients' addresses hold.
    var ledger: PassivePortLedger?
}

extension Warden {
    /// Ports that a Session may hold.
    ///
    /// Ours closes one before it asks for the next. The number leaves room for those that others have
    /// taken since, of which there are many where the range is nearly used up.
    private static let maximumPortCount = 24

    /// Opens a port for one passive data connection.
    func listenForData() throws(SystemError) {
        do throws(DataSocketFailure) {
            guard let range = settings.passivePorts else { throw .forbidden }
            try checkPortCount(range)
            let socket = try range.listen(on: local)
            passive.ports.append(socket.port)
            passive.ledger?.note(socket.port, for: peer.address) {
                range.isFree($0, on: local)
            }
            let reply = WardenReply.listening(port: socket.port, announced: announcedAddress())
            try? channel.send(reply.encoded, with: socket.descriptor)
        } catch {
            switch error {
            case .rangeExhausted: logger.warning("no passive port is free")
            case .tooMany: logger.warning("passive port refused: too many are held")
            case .forbidden, .failed: break
            }
            try channel.send(WardenReply.noDataSocket(error).encoded)
        }
    }

    private func checkPortCount(_ range: PassivePorts) throws(DataSocketFailure) {
        passive.ports.removeAll { range.isFree($0, on: local) }
        guard passive.ports.count < Self.maximumPortCount else { throw .tooMany }
        guard settings.maximumPassivePerAddress > 0 else { return }
        if passive.ledger == nil, let page = census.page(.passivePorts),
            let shared = try? SharedPage(mapping: page)
        {
            passive.ledger = PassivePortLedger(
                on: shared,
                maximum: settings.maximumPassivePerAddress
            )
        }
        let admits = passive.ledger?.admits(peer.address) { range.isFree($0, on: local) }
        guard admits ?? true else { throw .tooMany }
    }

    private func announcedAddress() -> IPAddress? {
        guard settings.looksUpAnnouncedAddress else { return nil }
        if passive.announced == nil, let page = census.page(.announcedAddress) {
            passive.announced = try? SharedPage(mapping: page)
        }
        return passive.announced?.announcedAddress ?? nil
    }
}
