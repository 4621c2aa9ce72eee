internal import Glibc
internal import LinuxSystem
internal import SystemPackage

/// A Warden's end of the channel on which an Agent gives uploads away.
///
/// Takes a descriptor and never a name. An Agent that somebody else controls could give away what
/// its user owns anyway, and nothing more.
final class HandoverDesk {
    static let request: [UInt8] = [1]
    static let done: [UInt8] = [2]
    static let refused: [UInt8] = [3]

    /// How many uploads in a row are refused before nothing more is taken.
    static let maximumRefusalCount = 8

    private let channel: MessageSocket
    private var refusalCount = 0
    private let owner: UploadOwner
    private let uploader: uid_t

    /// Serves the Agent of `uploader` at the other end of `channel`.
    init(_ channel: consuming MessageSocket, owner: UploadOwner, uploader: uid_t) {
        self.channel = channel
        self.owner = owner
        self.uploader = uploader
    }

    /// The channel's descriptor, for `poll(2)`.
    var pollNumber: CInt { channel.descriptor.number }

    /// Whether so much was refused that the desk should close.
    ///
    /// An Agent that was told no fails its upload, and so does one that finds nobody here.
    var isOverdrawn: Bool { refusalCount >= Self.maximumRefusalCount }

    /// Carries out one request.
    ///
    /// - Returns: What the log should say, if anything; `nil` in the normal case.
    /// - Throws: ``MessageError`` when the Agent is gone or sends what none of ours sends.
    func serve() throws(MessageError) -> String? {
        let received: ReceivedMessage?
        do throws(SystemError) {
            received = try channel.receive()
        } catch {
            throw .wrongDescriptor
        }
        guard var message = received else { throw .truncated }
        guard message.bytes == Self.request else { throw .invalidValue }
        guard let file = message.takeDescriptor() else { throw .wrongDescriptor }
        let problem = give(file)
        refusalCount = problem == nil ? 0 : refusalCount + 1
        do throws(SystemError) {
            // An Agent that reads no answers must not have its Warden wait.
            try channel.sendNow(problem == nil ? Self.done : Self.refused)
        } catch {
            throw .truncated
        }
        return problem
    }

    /// Gives a regular file of the uploader's to its new owner (`fchown(2)`, `fchmod(2)`).
    private func give(_ file: borrowing OwnedDescriptor) -> String? {
        var status = stat()
        guard unsafe fstat(file.number, &status) == 0 else { return "fstat: \(errno)" }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == uploader,
            status.st_nlink == 1
        else {
            return "not a file of the uploader's alone"
        }
        // The mode first: the file must not belong to somebody with bits that were not asked for.
        guard fchmod(file.number, mode_t(owner.mode)) == 0 else {
            return "\(SystemError("fchmod"))"
        }
        guard fchown(file.number, owner.user, gid_t.max) == 0 else {
            return "\(SystemError("fchown"))"
        }
        return nil
    }
}
