import Glibc
import LinuxSystem
import TestSupport

@testable import Isolation

/// Whatever an Agent sends to the desk that gives uploads away, nothing changes but a regular file of
/// the uploader's that has one name, and that one gets the owner and the mode that are configured.
///
/// The first bytes of the input say whose Agent it is and what the mode is; each step is a message,
/// and what comes along with it.
enum HandoverTarget {
    static func run(_ input: [UInt8]) throws {
        var reader = InputReader(input)
        let ground = try Ground(isUploader: reader.byte() & 1 == 0, mode: UInt16(reader.number()))
        for _ in 0..<16 {
            guard !reader.isAtEnd else { return }
            let choice = reader.byte()
            let message = choice & 0x80 == 0 ? HandoverDesk.request : reader.piece()
            guard !message.isEmpty, message.count <= MessageSocket.maximumByteCount else {
                continue
            }
            guard try ground.take(message, Thing(rawValue: choice & 7)) else { return }
        }
    }

    /// What an Agent may send along; `nil` for nothing.
    private enum Thing: UInt8 {
        case upload, written, twoNames, directory, pipe, device, link
    }

    private final class Ground {
        private let scratch = try? Scratch()
        private let isUploader: Bool
        private let owner: UploadOwner
        private let desk: HandoverDesk
        private let agent: MessageSocket

        init(isUploader: Bool, mode: UInt16) throws {
            self.isUploader = isUploader
            owner = UploadOwner(user: geteuid(), mode: mode)
            let ends = try Ends.make()
            desk = HandoverDesk(
                MessageSocket(owning: try ends.far.descriptor.duplicate()),
                owner: owner,
                uploader: isUploader ? geteuid() : geteuid() &+ 1
            )
            agent = ends.takeNear()
            let root = try path("")
            guard unsafe link("\(root)d/b", "\(root)second") == 0,
                unsafe mkfifo("\(root)pipe", 0o600) == 0, unsafe chmod("\(root)a", 0o604) == 0
            else { throw Flaw(description: "no ground") }
        }

        private func path(_ name: String) throws -> String {
            guard let scratch else { throw Flaw(description: "no directory") }
            return "\(scratch.root)/\(name)"
        }

        private func open(_ thing: Thing) throws -> OwnedDescriptor {
            let (name, flags) =
                switch thing {
                case .upload: (try path("a"), O_RDONLY)
                case .written: (try path("a"), O_WRONLY)
                case .twoNames: (try path("second"), O_RDWR)
                case .directory: (try path("d"), O_RDONLY)
                case .pipe: (try path("pipe"), O_RDWR)
                case .device: ("/dev/null", O_RDWR)
                // O_PATH: a descriptor of the link itself.
                case .link: (try path("file"), O_NOFOLLOW | 0x20_0000)
                }
            let number = unsafe Glibc.open(name, flags | O_CLOEXEC)
            guard number >= 0 else { throw Flaw(description: "cannot open \(name)") }
            return OwnedDescriptor(owning: number)
        }

        /// Sends one message, has the desk serve it, and looks what has changed.
        ///
        /// - Returns: Whether the desk goes on.
        func take(_ message: [UInt8], _ thing: Thing?) throws -> Bool {
            let before = scratch?.snapshot()
            if let thing {
                try agent.send(message, with: open(thing))
            } else {
                try agent.send(message)
            }
            let isDue =
                message == HandoverDesk.request && isUploader
                && (thing == .upload || thing == .written)
            let outcome = Result { () throws(MessageError) in try desk.serve() }
            switch outcome {
            case .success(let problem):
                try claim((problem == nil) == isDue, "\(problem ?? "done") for \(thing as Any)")
                let wanted = isDue ? HandoverDesk.done : HandoverDesk.refused
                try claim(agent.receive()?.bytes == wanted, "another answer")
            case .failure(let violation):
                let isNonsense = message != HandoverDesk.request || thing == nil
                try claim(isNonsense, "\(violation) for \(thing as Any)")
            }
            if isDue {
                var status = stat()
                let upload = try path("a")
                guard unsafe stat(upload, &status) == 0 else { throw Flaw(description: "it went") }
                try claim(status.st_mode & 0o7777 == mode_t(owner.mode), "another mode")
                try claim(status.st_uid == owner.user, "another owner")
                guard unsafe chmod(upload, 0o604) == 0 else { throw Flaw(description: "no mode") }
            }
            try claim(scratch?.snapshot() == before, "something else has changed")
            try scratch?.checkOutside()
            if case .success = outcome { return true }
            return false
        }
    }
}
