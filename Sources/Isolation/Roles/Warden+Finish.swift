internal import LinuxSystem
internal import Logging

// Why a session that could go on has to end.

extension Warden {
    /// How long a Session that has to make room may take for its last words.
    private static let dismissalTimeout: Duration = .milliseconds(100)

    /// How long a Session that an administrator has end may take for it.
    private static let leavingTimeout: Duration = .seconds(5)

    /// Has the Session end.
    ///
    /// - Returns: By when it has to be done.
    func tellToFinish(_ reason: FinishReason) throws(SystemError) -> Deadline {
        try channel.send(WardenReply.finish(reason).encoded)
        return switch reason {
        // Not for ever, because of what hangs; clients that do are found out much sooner.
        case .restarts: Deadline(after: .seconds(30 * 86_400))
        case .serverEnds: Deadline(after: settings.shutdownTimeout)
        case .makesRoom: Deadline(after: Self.dismissalTimeout)
        case .kicked: Deadline(after: Self.leavingTimeout)
        }
    }

    /// Why the session has to end, as far as `leash` and `census` show; `nil` where it has not to.
    func reasonToFinish(_ leash: PollEntry, _ census: PollEntry) -> FinishReason? {
        // A byte that nobody reads says that there is no hurry.
        if leash.isReadable { return leash.hasInput ? .restarts : .serverEnds }
        if census.hasHungUp { return state.isLoggedIn ? nil : .makesRoom }
        // The Listener says nothing unasked but that it will say nothing more.
        return census.isReadable ? .kicked : nil
    }

    /// Whether the time for a login is over, which a line in the log then says.
    func hasLoginTimePassed() -> Bool {
        guard loginDeadline.hasPassed else { return false }
        logger.warning("ended: the time for a login is over (login_timeout)")
        return true
    }
}
