internal import Authentication
internal import FTPProtocol
internal import LinuxSystem
internal import Logging

// What a program is told of a session that is part of it.

extension Warden {
    /// Reports the login, or what the user did; the Session's word counts for what was done alone.
    func reportEvent(_ action: LoggedAction? = nil) {
        guard let events, let account = login?.account, let profile else { return }
        // Whoever has taken the Session over cannot crowd out others' events.
        eventBudget.spendPatiently(wait(until:))
        let report = EventReport(
            user: account.name,
            root: profile.root,
            peer: peer.address,
            action: action
        )
        do throws(SystemError) {
            try events.send(report)
        } catch {
            logger.error("an event is lost: \(error)")
        }
    }
}
