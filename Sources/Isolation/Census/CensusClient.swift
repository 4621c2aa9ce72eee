internal import FTPProtocol
internal import LinuxSystem

/// A Warden's end of the channel to the Listener.
///
/// Without the Listener nothing can be counted, so every failure refuses what was asked for.
struct CensusClient: ~Copyable {
    private let channel: MessageSocket

    /// Reports over `channel`.
    init(_ channel: consuming MessageSocket) {
        self.channel = channel
    }

    /// The channel, which hangs up when the session has to go before its login.
    var pollNumber: CInt { channel.descriptor.number }

    /// Whether a login of this user may be checked at all; not from a banned address.
    func mayAttempt(_ user: String) -> Bool {
        answer(to: .attempt(user: user)) == .admitted
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

    /// Counts the login that was attempted as failed.
    ///
    /// - Returns: How many failed of late in the user's name or from the address, whichever is more.
    func noteFailedLogin() -> UInt32 {
        guard case .failures(let count) = answer(to: .loginFailed) else { return 1 }
        return count
    }

    /// Counts a login, unless the user has `maximum` sessions already; 0 for any number.
    ///
    /// - Returns: Whether the user may log in.
    func admit(_ user: String, maximum: UInt32) -> Bool {
        answer(to: .login(user: user, maximum: maximum)) == .admitted
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
