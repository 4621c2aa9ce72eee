internal import LinuxSystem

/// The process that reads the admin socket: an unprivileged uid, no files, no network.
///
/// It asks the Listener, whose answers it passes on; what it may ask for is all that somebody who has
/// taken it over could have.
enum ClerkRole {
    /// Becomes the Clerk and serves until the Listener is gone.
    static func run(
        _ socket: LocalSocket,
        _ channel: consuming MessageSocket,
        _ settings: AdminSettings
    ) -> Never {
        DaemonProcess.setName("ftps-clerk")
        let owner = Credentials.current.user
        do throws(SystemError) {
            try DaemonProcess.closeDescriptors(
                except: [socket.descriptor.number, channel.descriptor.number])
            try DaemonProcess.resetSignals()
            try DaemonProcess.outliveTermination()
            try Confinement.enterClerk(as: settings.unprivileged, settings.systemCalls)
        } catch {
            DaemonProcess.exit(RoleStatus.notConfined)
        }
        Clerk(channel, group: settings.group, owner: owner).serve(socket)
        DaemonProcess.exit(0)
    }
}

/// What the Clerk does, for tests too.
final class Clerk {
    /// People and programs that are connected at a time.
    static let maximumCount = 16

    /// How long somebody may stay connected without a word.
    private static let patience: Duration = .seconds(5)

    /// How long somebody who says nothing keeps a place while others wait.
    private static let share: Duration = .milliseconds(500)

    private let channel: MessageSocket
    private let group: UInt32
    private let owner: UInt32

    /// Answers members of `group`, root and `owner`, and asks the Listener over `channel`.
    init(_ channel: consuming MessageSocket, group: UInt32, owner: UInt32) {
        self.channel = channel
        self.group = group
        self.owner = owner
    }

    /// Serves until the Listener is gone.
    func serve(_ socket: LocalSocket) {
        var callers: [Caller] = []
        while true {
            let quietest = Self.quietest(of: callers)
            let isFull = quietest.map { !$0.share.hasPassed } ?? false
            var entries = [
                PollEntry(channel.descriptor.number, reading: true),
                isFull ? .none : PollEntry(socket.descriptor.number, reading: true),
            ]
            entries += callers.map { PollEntry($0.number, reading: true) }
            var deadline = callers.map(\.deadline).min() ?? .never
            if isFull, let quietest { deadline = min(deadline, quietest.share) }
            guard (try? poll(&entries, until: deadline)) != nil else { return }
            // Nothing is said there unasked but that it ends.
            if entries[0].isReadable { return }
            for (caller, entry) in zip(callers, entries.dropFirst(2)) {
                if entry.isReadable {
                    guard serve(caller) else { return }
                } else if caller.deadline.hasPassed {
                    caller.isOver = true
                }
            }
            callers.removeAll(where: \.isOver)
            if entries[1].isReadable, Self.makeRoom(&callers), let connection = socket.accept() {
                let user = connection.peerUser
                let isAllowed = connection.peerBelongs(user: owner, group: group)
                let caller = Caller(connection, user: user)
                if isAllowed {
                    callers.append(caller)
                } else {
                    caller.send(.refused(.forbidden))
                }
            }
        }
    }

    /// Who has been silent for longest, where all places are taken.
    private static func quietest(of callers: [Caller]) -> Caller? {
        guard callers.count >= maximumCount else { return nil }
        return callers.min { $0.deadline < $1.deadline }
    }

    /// Sends whoever has been silent for longest away where all places are taken.
    ///
    /// - Returns: Whether there is a place for one more.
    private static func makeRoom(_ callers: inout [Caller]) -> Bool {
        guard let quietest = quietest(of: callers) else { return true }
        guard quietest.share.hasPassed else { return false }
        callers.removeAll { $0 === quietest }
        return true
    }

    /// Answers one question.
    ///
    /// - Returns: Whether the Listener is there.
    private func serve(_ caller: Caller) -> Bool {
        caller.noteWord()
        guard let message = caller.receive() else {
            caller.isOver = true
            return true
        }
        let request: AdminRequest
        do throws(MessageError) {
            switch try AdminRequest(decoding: message) {
            case .kick(let target, _): request = .kick(target, user: caller.user)
            case .unlock(let target, _): request = .unlock(target, user: caller.user)
            case .reload: request = .reload(user: caller.user)
            case .page: throw .outOfTurn
            case .sessions(let process): request = .sessions(after: process)
            case .status: request = .status
            }
        } catch {
            caller.send(.refused(.notUnderstood))
            caller.isOver = true
            return true
        }
        guard var answer = ask(request)?.answer else { return false }
        if case .sessions(let sessions, let isLast) = answer {
            answer = .sessions(sessions.map(addingClaim), isLast: isLast)
        }
        caller.send(answer)
        return true
    }

    /// Adds what the session says of itself.
    private func addingClaim(to session: LiveSession) -> LiveSession {
        var session = session
        if var reply = ask(.page(session.process)), let descriptor = reply.takeDescriptor(),
            let page = try? SharedPage(mapping: descriptor)
        {
            session.claim = SessionClaim.read(page)
        }
        return session
    }

    private func ask(_ request: AdminRequest) -> ListenerReply? {
        do {
            try channel.send(request.encoded)
            guard var message = try channel.receive() else { return nil }
            let answer = try AdminAnswer(decoding: message.bytes)
            return ListenerReply(answer: answer, descriptor: message.takeDescriptor())
        } catch {
            return nil
        }
    }

    /// An answer of the Listener.
    private struct ListenerReply: ~Copyable {
        let answer: AdminAnswer
        private var descriptor: OwnedDescriptor?

        init(answer: AdminAnswer, descriptor: consuming OwnedDescriptor?) {
            self.answer = answer
            self.descriptor = descriptor
        }

        mutating func takeDescriptor() -> OwnedDescriptor? { descriptor.take() }
    }

    /// One connection, since arrays hold no value with a single owner.
    private final class Caller {
        private let socket: MessageSocket
        let user: UInt32
        /// When it has said nothing for too long.
        private(set) var deadline = Deadline(after: Clerk.patience)
        /// When it has to make room for others.
        private(set) var share = Deadline(after: Clerk.share)
        var isOver = false

        init(_ socket: consuming MessageSocket, user: UInt32) {
            self.socket = socket
            self.user = user
        }

        /// Begins both times anew.
        func noteWord() {
            deadline = Deadline(after: Clerk.patience)
            share = Deadline(after: Clerk.share)
        }

        var number: CInt { socket.descriptor.number }

        /// The next message; `nil` at the end, or for what none of ours sends.
        func receive() -> [UInt8]? {
            guard let received = try? socket.receive() else { return nil }
            return received.bytes
        }

        /// Sends an answer to somebody who takes it at once, and to nobody else.
        func send(_ answer: AdminAnswer) {
            do throws(SystemError) {
                try socket.sendNow(answer.encoded)
            } catch {
                isOver = true
            }
        }
    }
}
