internal import Authentication
internal import FTPProtocol
internal import LinuxSystem

/// A Warden's end of the channel to the Listener.
///
/// Without the Listener nothing can be counted, so every failure refuses what was asked for.
final class CensusClient {
    private let channel: MessageSocket

    /// Reports over `channel`.
    init(_ channel: consuming MessageSocket) {
        self.channel = channel
    }

    /// The channel, which hangs up when the session has to go before its login.
    var pollNumber: CInt { channel.descriptor.number }

    /// Tells that the session is over and that nothing is left of it; what comes next is another
    /// connection, if anything.
    func noteFree() throws(SystemError) {
        try channel.send(CensusReport.free.encoded)
    }

    /// Receives one connection more; `nil` when there will be none.
    ///
    /// - Throws: ``MessageError`` or ``SystemError``; there will be none either.
    func nextConnection() throws -> WardenConnection? {
        guard let (bytes, passed) = try channel.receiveDescriptors() else { return nil }
        return try WardenConnection(decoding: bytes, passed)
    }

    /// Why no login of this user may be checked at all, or `nil`.
    func bar(to user: String) -> LoginBar? {
        switch answer(to: .attempt(user: user)) {
        case .admitted: nil
        case .locked: .userIsLocked
        default: .addressIsBanned
        }
    }

    /// Has the session wait like those before a login; ``bar(to:)`` ends that.
    func noteWait() {
        try? channel.send(CensusReport.waiting.encoded)
    }

    /// Counts the session as that of a client behind a proxy.
    ///
    /// - Returns: Why the client is turned away, or `nil`.
    func refusal(of client: IPAddress) -> ClientRefusal? {
        switch answer(to: .client(client)) {
        case .admitted: nil
        case .refused(let refusal): refusal
        default: .noResources
        }
    }

    /// Counts the login that was attempted as refused, towards a ban if it was for want of a proof.
    ///
    /// - Returns: How many were of late in the user's name or from the address, whichever is more.
    func noteRefusedLogin(isFailedProof: Bool) -> UInt32 {
        let report = CensusReport.loginRefused(isFailedProof: isFailedProof)
        guard case .failures(let count) = answer(to: report) else { return 1 }
        return count
    }

    /// Counts a login, unless the user has `maximum` sessions already; 0 for any number.
    ///
    /// - Returns: Why the user may not log in, or `nil`.
    func refusal(of user: String, maximum: UInt32) -> LoginRefusal? {
        switch answer(to: .login(user: user, maximum: maximum)) {
        case .admitted: nil
        case .fullNearby: .tooManySessions(isTold: true)
        default: .tooManySessions(isTold: false)
        }
    }

    /// Takes a login out of the count.
    func noteLogout() {
        try? channel.send(CensusReport.logout.encoded)
    }

    /// Tells whose session of the system is about to be opened; `nil` when it has been closed.
    func noteSystemSession(of user: String?) {
        // Whoever cannot be named has nothing that could be closed by name.
        let name = user.flatMap { $0.utf8.count <= CensusReport.maximumUserByteCount ? $0 : nil }
        let report = name.map { CensusReport.systemSession(user: $0) } ?? .systemSessionClosed
        try? channel.send(report.encoded)
    }

    /// A page that all sessions share, those of the user who logged in or all of them.
    func page(_ page: UserPage) -> OwnedDescriptor? {
        do {
            try channel.send(CensusReport.page(page).encoded)
            guard var message = try channel.receive(),
                try CensusAnswer(decoding: message.bytes) == .page
            else { return nil }
            return message.takeDescriptor()
        } catch {
            return nil
        }
    }

    /// The sessions of the user who logged in.
    func sessions() -> [SessionEntry] {
        guard case .sessions(let entries) = answer(to: .sessions) else { return [] }
        return entries
    }

    private func answer(to report: CensusReport) -> CensusAnswer? {
        do {
            try channel.send(report.encoded)
            guard let message = try channel.receive() else { return nil }
            return try CensusAnswer(decoding: message.bytes)
        } catch {
            return nil
        }
    }
}
