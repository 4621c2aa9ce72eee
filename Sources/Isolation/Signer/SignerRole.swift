internal import LinuxSystem

/// The process that keeps the private keys: an unprivileged uid, no network, no files.
///
/// Answers every Session over a channel of its own, in turns, so that one which asks without end
/// takes no more than its share.
enum SignerRole {
    /// What the Signer says when it has taken the channel of one more Session.
    static let hasChannel: [UInt8] = [2]

    /// Becomes the Signer and serves until the Listener and every Session are gone.
    static func run(_ control: consuming MessageSocket, _ settings: SignerSettings) -> Never {
        DaemonProcess.setName("ftps-signer")
        let answer: SignerSettings.Answer
        do {
            // A key on a file system that hangs must not hold up the Listener.
            try KillTimer.start(.seconds(10))
            try DaemonProcess.closeDescriptors(except: [control.descriptor.number])
            try DaemonProcess.resetSignals()
            try DaemonProcess.outliveTermination()
            answer = try settings.load()
            KillTimer.stop()
            try Confinement.enterSigner(as: settings.unprivileged, settings.systemCalls)
            try control.send(SignerFailure.ready)
        } catch let failure as SignerFailure {
            try? control.send(failure.encoded)
            DaemonProcess.exit(RoleStatus.notConfined)
        } catch {
            try? control.send(SignerFailure(kind: .max, text: "\(error)").encoded)
            DaemonProcess.exit(RoleStatus.notConfined)
        }
        serve(control, answer)
        DaemonProcess.exit(0)
    }

    private static func serve(_ control: consuming MessageSocket, _ answer: SignerSettings.Answer) {
        var control: Channel? = Channel(control)
        var channels: [Channel] = []
        while control != nil || !channels.isEmpty {
            var entries = [control.map { PollEntry($0.number, reading: true) } ?? .none]
            entries += channels.map { PollEntry($0.number, reading: true) }
            guard (try? poll(&entries, until: .never)) != nil else { return }
            let waiting = zip(channels, entries.dropFirst()).filter(\.1.isReadable).map(\.0)
            if entries[0].isReadable { takeChannels(&control, &channels) }
            for channel in waiting {
                channel.serve(answer)
                // However many ask, the Listener hears within one signature that this one lives.
                takeChannels(&control, &channels)
            }
            channels.removeAll(where: \.isOver)
        }
    }

    /// Takes the channels that wait to be taken.
    private static func takeChannels(_ control: inout Channel?, _ channels: inout [Channel]) {
        while let listener = control {
            var entries = [PollEntry(listener.number, reading: true)]
            guard (try? poll(&entries, until: .passed)) != nil, entries[0].isReadable else {
                return
            }
            if let channel = listener.takeChannel() { channels.append(channel) }
            if listener.isOver { control = nil }
        }
    }

    /// One channel, since arrays hold no value with a single owner.
    private final class Channel {
        private let socket: MessageSocket
        private(set) var isOver = false

        init(_ socket: consuming MessageSocket) {
            self.socket = socket
        }

        var number: CInt { socket.descriptor.number }

        /// Answers one request.
        func serve(_ answer: SignerSettings.Answer) {
            do {
                guard let message = try socket.receive() else {
                    isOver = true
                    return
                }
                // A Session reads each answer before it asks again; one that does not would have
                // everybody wait.
                try socket.sendNow(try answer(message.bytes))
            } catch {
                // Whoever sends what none of ours sends gets no signature any more.
                isOver = true
            }
        }

        /// Takes the channel of a new Session; over when there will be no more.
        func takeChannel() -> Channel? {
            var received: ReceivedMessage?
            do throws(SystemError) {
                received = try socket.receive()
                isOver = received == nil
            } catch {
                // No room for one more descriptor: its Session goes without, and others come.
            }
            if !isOver { try? socket.send(SignerRole.hasChannel) }
            guard let descriptor = received?.takeDescriptor() else { return nil }
            return Channel(MessageSocket(owning: descriptor))
        }
    }
}
