internal import FileSystem
internal import LinuxSystem
internal import SystemPackage

/// An Agent's end of the channel on which it gives uploads away.
///
/// The Session has no part in it, and can neither choose the file nor the moment.
final class HandoverClient {
    private let channel: MessageSocket

    /// Asks over `channel`.
    init(_ channel: consuming MessageSocket) {
        self.channel = channel
    }

    /// Has the Warden give `file` to its new owner.
    func handOver(_ file: borrowing OwnedDescriptor) throws(FileError) {
        do throws(SystemError) {
            try channel.send(HandoverDesk.request, with: file)
            guard let answer = try channel.receive(), answer.bytes == HandoverDesk.done else {
                throw SystemError("fchown", .notPermitted)
            }
        } catch {
            throw .inputOutput
        }
    }
}
