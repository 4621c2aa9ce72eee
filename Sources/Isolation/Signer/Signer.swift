internal import LinuxSystem

/// The process that keeps the private keys, as the Listener sees it.
package final class Signer {
    let process: CInt
    private let control: MessageSocket

    private init(process: CInt, control: consuming MessageSocket) {
        self.process = process
        self.control = control
    }

    /// Starts the process and waits until it has read the keys.
    ///
    /// - Throws: ``SignerFailure``; of kind 255 when the process could not be started.
    package static func start(_ settings: SignerSettings) throws(SignerFailure) -> Signer {
        do {
            let pair = try MessageSocket.makePair()
            switch try DaemonProcess.fork() {
            case .child: SignerRole.run(pair.takeSecond(), settings)
            case .parent(let process):
                let control = pair.takeFirst()
                var report: [UInt8] = []
                if let message = try control.receive() { report = message.bytes }
                if let failure = SignerFailure(report: report) {
                    _ = DaemonProcess.reap(process, waits: true)
                    throw failure
                }
                return Signer(process: process, control: control)
            }
        } catch let failure as SignerFailure {
            throw failure
        } catch {
            throw SignerFailure(kind: .max, text: "\(error)")
        }
    }

    /// A channel for one Session to ask over; `nil` when the process is gone.
    func makeChannel() -> MessageSocket? {
        do {
            let pair = try MessageSocket.makePair()
            try pair.withSecond { (end) throws(SystemError) in
                try control.sendNow([1], with: end)
            }
            return pair.takeFirst()
        } catch {
            return nil
        }
    }
}
