internal import Authentication
internal import FTPProtocol
internal import LinuxSystem
internal import Logging

// The logs that vsftpd would write.

/// What a Warden knows about its lines in them.
struct LoggedSession {
    /// Far more than any client does, and few enough not to fill a disk in a moment.
    private static let linesPerPeriod = 20_000

    let logs: TransferLogs?
    var actions = LogBudget(lineCount: linesPerPeriod)
    /// Of the conversation, which crowds out nothing of what was done.
    var lines = LogBudget(lineCount: linesPerPeriod)
    /// Who has logged in.
    var user: String?
    var access = LoggedClient.Access.real

    init(_ logs: TransferLogs?) {
        self.logs = logs
    }
}

extension Warden {
    /// Takes note of who has logged in, and writes that.
    func recordLogin(_ user: String, _ account: Account) {
        let isAnonymous = account.kind == .anonymous
        logged.user = isAnonymous ? "ftp" : user
        switch account.kind {
        case .local, .builtIn: logged.access = .real
        case .guest, .virtual: logged.access = .guest
        case .anonymous: logged.access = .anonymous
        }
        record(.login(isDone: true))
    }

    /// Writes that somebody was not let in.
    func recordRefusal(of user: String) {
        logged.user = user
        record(.login(isDone: false))
        logged.user = nil
    }

    /// Writes a line about the client of this session.
    func record(_ event: TransferLogEvent) {
        if logged.actions.admits(reportDroppedRecords) { write(event) }
    }

    /// Writes what the user has done.
    func recordAction(_ action: LoggedAction) {
        meter?.note(action)
        guard logged.logs != nil, logged.actions.admits(reportDroppedRecords) else { return }
        awaitRoom(for: action.path.bytes.count + (action.target?.bytes.count ?? 0))
        write(.action(action))
    }

    /// Writes a line that the client sent or was sent.
    func recordLine(isReply: Bool, _ text: [UInt8]) {
        guard logged.logs != nil, logged.lines.admits(reportDroppedRecords) else { return }
        if state.isLoggedIn {
            awaitRoom(for: text.count)
        } else if !hasRoom(for: text.count) {
            logged.lines.noteDropped()
            return
        }
        write(isReply ? .reply(text) : .command(text))
    }

    /// Says how many lines were dropped of which nothing has been said, once the session has ended.
    func reportDroppedRecords() {
        let count = logged.actions.dropped + logged.lines.dropped
        if count > 0 { reportDroppedRecords(count) }
    }

    /// Where things are counted; `nil` where nobody asks.
    func makeMeter() -> Meter? {
        guard settings.counts, let page = census.page(.metrics),
            let shared = try? SharedPage(mapping: page)
        else { return nil }
        return try? Meter(on: shared)
    }

    private func reportDroppedRecords(_ count: Int) {
        logger.warning("lines of this session in the logs of transfers dropped: \(count)")
    }

    private func write(_ event: TransferLogEvent) {
        guard let logs = logged.logs else { return }
        let client = LoggedClient(peer.address, user: logged.user, access: logged.access)
        logs.write(event, about: client, logger)
    }
}
