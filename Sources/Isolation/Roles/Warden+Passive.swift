internal import FTPProtocol
internal import LinuxSystem
internal import Logging

// The port for a passive data connection.

/// What a Warden remembers of the passive port that it has given away.
struct PassiveState: ~Copyable {
    /// The socket that the Session listens on, kept so that it can be closed.
    var socket: OwnedDescriptor?
    /// The address that PASV announces, where that may change.
    var announced: SharedPage?
    /// What the clients' addresses hold.
    var ledger: PassivePortLedger?
}

extension Warden {
    /// What to wait for to learn that the Session has closed its passive port.
    ///
    /// Nothing where ports are not counted: closed it is for all who hold it, and this end of it goes
    /// with the next one.
    var passivePortEntry: PollEntry {
        passive.ledger == nil ? .none : PollEntry(passive.socket?.number ?? -1)
    }

    /// Opens a port for one passive data connection.
    ///
    /// A session has one at a time: whoever asks for the next one has closed the last, and one that
    /// somebody else controls loses it here.
    func listenForData() throws(SystemError) {
        closePassiveSocket()
        do throws(DataSocketFailure) {
            guard let range = settings.passivePorts else { throw .forbidden }
            guard mayListen() else { throw .tooMany }
            let socket = try range.listen(on: local)
            let reply = WardenReply.listening(port: socket.port, announced: announcedAddress())
            try? channel.send(reply.encoded, with: socket.descriptor)
            passive.socket = socket.takeDescriptor()
        } catch {
            passive.ledger?.giveUp()
            switch error {
            case .rangeExhausted where mayLog(): logger.warning("no passive port is free")
            case .tooMany where mayLog():
                logger.warning("passive port refused: the address has too many")
            case .rangeExhausted, .tooMany, .forbidden, .failed: break
            }
            try channel.send(WardenReply.noDataSocket(error).encoded)
        }
    }

    /// Closes the passive port if there is one, and has it count no longer.
    func endListening() {
        closePassiveSocket()
        passive.ledger?.giveUp()
    }

    private func closePassiveSocket() {
        // Closing alone would leave the port open as long as the Session keeps its own descriptor.
        passive.socket?.endListening()
        passive.socket = nil
    }

    /// Whether the client's address may have one more port (`pasv_max_per_ip`).
    private func mayListen() -> Bool {
        guard settings.maximumPassivePerAddress > 0 else { return true }
        if passive.ledger == nil, let page = census.page(.passivePorts),
            let shared = try? SharedPage(mapping: page)
        {
            passive.ledger = PassivePortLedger(
                on: shared,
                maximum: settings.maximumPassivePerAddress
            )
        }
        return passive.ledger?.take(for: peer.address) ?? true
    }

    private func announcedAddress() -> IPAddress? {
        guard settings.looksUpAnnouncedAddress else { return nil }
        if passive.announced == nil, let page = census.page(.announcedAddress) {
            passive.announced = try? SharedPage(mapping: page)
        }
        return passive.announced?.announcedAddress ?? nil
    }
}
