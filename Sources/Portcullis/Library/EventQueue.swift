internal import FTPProtocol
internal import Isolation
internal import LinuxSystem

/// What acts on files that came and went: scans them, moves them, runs a program.
///
/// Events wait in a queue and are handed out one after the other, so that a slow function delays no
/// client and loses nothing: ``FTPServer/serveForever()`` returns when the last of them was acted on,
/// or after the shutdown timeout.
///
/// Under ``Concurrency/processes`` the function is called in a process of its own, which has the rights
/// of an account and may open files and run programs. What it does cannot touch a session. If an event
/// makes it crash, the next one finds another such process. Who did what to which file is told by the
/// process that watches the session, and not by the one that reads the network; whether the client
/// has done what that one says cannot be told apart, as with every log.
///
/// Under ``Concurrency/threads`` it is called on a thread of its own.
public struct EventQueue: Sendable {
    /// The account of the system whose rights the function has, where the program is root's and
    /// sessions are processes; `nil` for `nobody`.
    public let account: String?

    /// Acts on one event.
    public let function: @Sendable (FTPEvent) -> Void

    /// Describes what acts on events.
    public init(account: String? = nil, function: @escaping @Sendable (FTPEvent) -> Void) {
        self.account = account
        self.function = function
    }

    /// What is called by those who report.
    var act: @Sendable (EventReport) -> Void {
        let function = function
        return { report in
            if let event = FTPEvent(report) { function(event) }
        }
    }

    /// The account whose rights the function has; `nil` for the program's.
    var systemAccount: SystemAccount? {
        get throws(ServerError) {
            guard Credentials.isRoot else { return nil }
            let name = account ?? "nobody"
            guard let account = SystemAccount(named: name) else {
                throw ServerError("events: there is no account `\(name)`: name one that there is")
            }
            return account
        }
    }
}

/// Something that has happened (``EventQueue``).
public struct FTPEvent: Sendable, Hashable {
    /// What has happened.
    public enum Kind: Sendable, Hashable {
        /// A user has logged in.
        case login
        /// A client has taken a whole file.
        case fileSent
        /// A whole file was stored.
        case fileReceived
        /// A client has not taken all of a file.
        case incompleteFileSent
        /// An upload broke off.
        case incompleteFileReceived
    }

    /// What has happened.
    public let kind: Kind
    /// Who did it.
    public let user: String
    /// The client's IP address.
    public let remoteIP: String
    /// The file as the client sees it; empty for a login.
    public let path: String
    /// The file on this machine, put together from names: a symbolic link of the user's among them may
    /// lead anywhere, so open it with `RESOLVE_BENEATH` (openat2(2)) or as the user.
    public let realPath: String
    /// Bytes that went over the data connection.
    public let byteCount: Int64

    init?(_ report: EventReport) {
        user = report.user
        remoteIP = "\(report.peer)"
        byteCount = Int64(clamping: report.action?.byteCount ?? 0)
        guard let action = report.action else {
            (kind, path, realPath) = (.login, "", report.root)
            return
        }
        switch (action.kind, action.isDone) {
        case (.download, true): kind = .fileSent
        case (.download, false): kind = .incompleteFileSent
        case (.upload, true): kind = .fileReceived
        case (.upload, false): kind = .incompleteFileReceived
        default: return nil
        }
        path = action.path.text
        realPath = report.root == "/" ? path : report.root + path
    }
}
