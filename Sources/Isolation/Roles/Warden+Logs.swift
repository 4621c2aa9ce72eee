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
        write(event, if: logged.actions.spend())
    }

    /// Writes a line that the client sent or was sent.
    func recordLine(isReply: Bool, _ text: [UInt8]) {
        write(isReply ? .reply(text) : .command(text), if: logged.lines.spend())
    }

    private func write(_ event: TransferLogEvent, if verdict: LogBudget.Verdict) {
        guard let logs = logged.logs else { return }
        switch verdict {
        case .drop: return
        case .writeAfterDropping(let count):
            logger.warning("lines of this session in the logs of transfers dropped: \(count)")
        case .write: break
        }
        let client = LoggedClient(peer.address, user: logged.user, access: logged.access)
        logs.write(event, about: client, logger)
    }
}
