internal import LinuxSystem
internal import TLS

extension NetworkStream {
    /// How long a client may go on sending after it was told that nobody listens any more.
    static let dismissalTimeout: Duration = .seconds(2)

    /// Ends a connection on which the client may still be sending, after it was told why.
    ///
    /// What it still sends is read and forgotten for a moment: `ftplib` and others read the reply
    /// only after they have sent their whole upload, and never if the connection is reset.
    func dismiss(_ buffer: TransferBuffer, until deadline: Deadline) {
        _ = sendCloseNotify()
        endWriting()
        while !deadline.hasPassed {
            switch unsafe buffer.withBytes({ unsafe read(into: $0) }) {
            case .bytes: continue
            case .ended, .failed: return
            case .wantsRead, .wantsWrite: break
            }
            var entries = [PollEntry(descriptor.number, reading: true)]
            _ = try? poll(&entries, until: deadline)
        }
    }
}
