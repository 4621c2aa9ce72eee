internal import FTPProtocol
internal import LinuxSystem

/// The sessions that go on, by process; the Listener's side of the reports.
///
/// Counts sessions of each user, and keeps the pages that those share.
struct Census {
    /// Sessions that are leaving at a time, for newcomers of any network; they are gone in a moment.
    private static let maximumLeavingCount = 64

    /// The same for newcomers of networks that have less than others, whom a flood must not keep out.
    private static let maximumLeavingCountForFewer = 256

    private let settlingTime: Duration
    private var sessions: [CInt: CensusSession] = [:]
    private let server = CensusUser()
    private var users: [String: CensusUser] = [:]
    private var clientCount = 0
    private var loggedInCount = 0

    /// Sessions that were told to go and have not gone.
    private(set) var leavingCount = 0

    /// Sessions with a client that has not logged in, but for those that are leaving.
    var pendingCount: Int { clientCount - loggedInCount - leavingCount }

    /// Begins without a session.
    ///
    /// `settlingTime` is the time in which a client that means it logs in, whoever else comes.
    init(settlingTime: Duration = .seconds(5)) {
        self.settlingTime = settlingTime
    }

    /// The channels that may bring a report, with the process of each.
    var channels: [(process: CInt, entry: PollEntry)] {
        sessions.compactMap { process, session in
            session.channelNumber.map { (process, PollEntry($0, reading: true)) }
        }
    }

    /// Follows a session that was just started.
    mutating func add(
        _ process: CInt,
        _ channel: consuming MessageSocket,
        identifier: String,
        address: IPAddress,
        hasClient: Bool = true
    ) {
        sessions[process] = CensusSession(
            channel,
            identifier: identifier,
            address: address,
            settled: Deadline(after: settlingTime)
        )
        if hasClient { noteClient(of: process) }
    }

    /// Counts a session among those whose client is known.
    mutating func noteClient(of process: CInt) {
        guard let session = sessions[process], !session.hasClient else { return }
        session.hasClient = true
        clientCount += 1
    }

    /// Forgets a session that ended.
    mutating func remove(_ process: CInt) {
        logOut(process)
        if sessions[process]?.isLeaving == true { leavingCount -= 1 }
        if sessions[process]?.hasClient == true { clientCount -= 1 }
        sessions[process] = nil
    }

    /// The session of the system that a process which has ended did not close.
    func leftSession(of process: CInt) -> LeftSession? {
        guard let session = sessions[process] else { return nil }
        // What it said last may not have been received yet.
        while session.hasReport, case .success(let report?) = session.receive() {
            session.note(report)
        }
        return session.systemUser.map { LeftSession(user: $0, address: session.address) }
    }

    /// Has one session go that has not logged in, so that there is room for another one.
    ///
    /// The oldest one of the network that has most of them. Whoever is new is given time to log in,
    /// unless that network has more than the one that the newcomer is from; and nobody goes whose
    /// login is being checked.
    ///
    /// - Parameter newcomer: Where the other one is from.
    /// - Returns: Who has to go, for the log; `nil` when nobody has to.
    mutating func dismissOne(for newcomer: IPAddress) -> SessionEntry? {
        guard leavingCount < Self.maximumLeavingCountForFewer else { return nil }
        let takesSettled = leavingCount < Self.maximumLeavingCount
        var counts: [IPAddress: Int] = [:]
        for session in sessions.values where session.isPending {
            counts[session.address.network, default: 0] += 1
        }
        func weight(_ session: CensusSession) -> Int {
            counts[session.address.network, default: 0]
        }
        let share = counts[newcomer.network, default: 0] + 1
        let chosen = sessions.values
            .filter {
                $0.isIdleBeforeLogin && (weight($0) > share || takesSettled && $0.settled.hasPassed)
            }
            .min { (-weight($0), $0.settled) < (-weight($1), $1.settled) }
        guard let chosen else { return nil }
        chosen.dismiss()
        leavingCount += 1
        return chosen.entry
    }

    /// Receives one report of `process` and answers it.
    ///
    /// - Returns: What the Listener itself has to know.
    mutating func serve(_ process: CInt) -> CensusEvent? {
        guard let session = sessions[process] else { return nil }
        let report: CensusReport
        switch session.receive() {
        case .success(let received?): report = received
        case .success(nil): return nil
        case .failure(let error): return .violation(process, error)
        }
        switch report {
        case .attempt(let user):
            session.attempted = user
            session.isAttempting = true
            return .attempt(process, session.address)
        case .client(let address):
            session.address = address
            return .client(process, address)
        case .loginFailed:
            return .failedLogin(process, session.address, user: session.attempted)
        case .login(let user, let maximum):
            session.answer(logIn(process, user, maximum: Int(maximum)) ? .admitted : .full)
        case .logout:
            session.isAttempting = false
            logOut(process)
        case .page(let page):
            guard let user = session.user.flatMap({ users[$0] }) else {
                session.answer(.noPage)
                return nil
            }
            session.hand(over: page, of: page.isOfServer ? server : user)
        case .systemSession, .systemSessionClosed: session.note(report)
        case .sessions:
            let user = session.user
            let entries = sessions.values.filter { user != nil && $0.user == user }.map(\.entry)
            session.answer(.sessions(entries.sorted { $0.since < $1.since }))
        }
        return nil
    }

    /// Maps a page that all sessions share.
    func mapServerPage(_ page: UserPage) -> SharedPage? {
        var mapped: SharedPage?
        _ = server.send(page) { (descriptor) throws(SystemError) in
            mapped = try SharedPage(mapping: descriptor)
        }
        return mapped
    }

    /// Answers a process that asked.
    func answer(_ process: CInt, _ answer: CensusAnswer) {
        sessions[process]?.answer(answer)
    }

    private mutating func logIn(_ process: CInt, _ name: String, maximum: Int) -> Bool {
        logOut(process)
        let user = users[name] ?? CensusUser()
        guard maximum == 0 || user.sessionCount < maximum else { return false }
        user.sessionCount += 1
        users[name] = user
        loggedInCount += 1
        sessions[process]?.user = name
        sessions[process]?.since = secondsSinceEpoch()
        return true
    }

    private mutating func logOut(_ process: CInt) {
        guard let name = sessions[process]?.user.take(), let user = users[name] else { return }
        user.sessionCount -= 1
        loggedInCount -= 1
        if user.sessionCount == 0 { users[name] = nil }
    }
}

/// A session of the system whose process is gone.
struct LeftSession: Hashable {
    /// The user.
    let user: String
    /// The client.
    let address: IPAddress
}

/// What a report means for the Listener.
enum CensusEvent: Hashable {
    /// The process asks whether a login from this address may be checked.
    case attempt(CInt, IPAddress)
    /// A proxy has named the client of the process.
    case client(CInt, IPAddress)
    /// A login from this address and in this name was refused; the process asks how many were.
    case failedLogin(CInt, IPAddress, user: String)
    /// The process sent what none of ours sends.
    case violation(CInt, MessageError)
}

/// One session, as the Listener knows it.
private final class CensusSession {
    let identifier: String
    var address: IPAddress
    var user: String?
    var since: Int64 = 0
    private(set) var systemUser: String?
    /// Who was to be logged in last.
    var attempted = ""
    /// A login is being checked.
    var isAttempting = false
    private(set) var isLeaving = false
    /// Whether the address is the client's, and no proxy's that has yet to name one.
    var hasClient = false
    /// From when on the session may have to make room, unless it has logged in.
    let settled: Deadline
    private var channel: MessageSocket?

    init(
        _ channel: consuming MessageSocket,
        identifier: String,
        address: IPAddress,
        settled: Deadline
    ) {
        self.settled = settled
        self.channel = consume channel
        self.identifier = identifier
        self.address = address
    }

    var channelNumber: CInt? { channel?.descriptor.number }

    /// Whether the session has a client that has not logged in.
    var isPending: Bool { hasClient && user == nil && !isLeaving }

    /// Whether it waits for a login, and so may have to make room for another one.
    var isIdleBeforeLogin: Bool { isPending && !isAttempting }

    /// Tells the session to go, by the end of the channel.
    func dismiss() {
        isLeaving = true
        channel = nil
    }

    var entry: SessionEntry {
        SessionEntry(identifier: identifier, address: address, since: since)
    }

    /// The next report; `nil` when the Warden is gone, which the end of its process tells as well.
    func receive() -> Result<CensusReport?, MessageError> {
        guard let received = try? channel?.receive() else {
            channel = nil
            return .success(nil)
        }
        var message = received
        guard message.takeDescriptor() == nil else { return .failure(.wrongDescriptor) }
        let bytes = message.bytes
        return Result { () throws(MessageError) in try CensusReport(decoding: bytes) }
            .map { Optional($0) }
    }

    /// Whether a report, or the end of the channel, is there to be received.
    var hasReport: Bool {
        guard let channelNumber else { return false }
        var entries = [PollEntry(channelNumber, reading: true)]
        _ = try? poll(&entries, until: .passed)
        return entries[0].isReadable
    }

    /// Takes note of what a report says of a session of the system.
    func note(_ report: CensusReport) {
        switch report {
        case .systemSession(let user): systemUser = user
        case .systemSessionClosed: systemUser = nil
        default: break
        }
    }

    func answer(_ answer: CensusAnswer) {
        try? channel?.sendNow(answer.encoded)
    }

    func hand(over page: UserPage, of user: CensusUser) {
        guard
            user.send(
                page,
                through: { (descriptor) throws(SystemError) in
                    try channel?.sendNow(CensusAnswer.page.encoded, with: descriptor)
                }
            )
        else {
            answer(.noPage)
            return
        }
    }
}

/// A user with at least one session, or all of them together.
private final class CensusUser {
    var sessionCount = 0
    private var pages: [UserPage: PageBox] = [:]

    /// Makes the page unless it exists, and lends it to `body`.
    func send(
        _ page: UserPage,
        through body: (borrowing OwnedDescriptor) throws(SystemError) -> Void
    ) -> Bool {
        do throws(SystemError) {
            let box = if let known = pages[page] { known } else { PageBox(try SharedPage.make()) }
            pages[page] = box
            try body(box.descriptor)
            return true
        } catch {
            return false
        }
    }
}

/// Holds one page, since dictionaries hold no value with a single owner.
private final class PageBox {
    let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }
}
