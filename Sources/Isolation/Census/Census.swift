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

    private let sparedTime: Duration
    private let settlingTime: Duration
    private let waiting: WaitSet
    private var sessions: [CInt: CensusSession] = [:]
    private let server = CensusUser()
    private var users: [String: CensusUser] = [:]
    private var clientCount = 0
    private(set) var loggedInCount = 0

    /// Sessions that were told to go and have not gone.
    private(set) var leavingCount = 0

    /// Sessions with a client that has not logged in, but for those that are leaving.
    var pendingCount: Int { clientCount - loggedInCount - leavingCount }

    /// Begins without a session.
    ///
    /// `sparedTime` is how long nobody who has just come has to go, and `settlingTime` the time in which
    /// a client that means it logs in.
    init(
        sparedTime: Duration = .seconds(2),
        settlingTime: Duration = .seconds(5)
    ) throws(SystemError) {
        waiting = try WaitSet()
        self.sparedTime = sparedTime
        self.settlingTime = settlingTime
    }

    /// Readable when a session has something to report.
    var pollEntry: PollEntry { waiting.pollEntry }

    /// Sessions that may still report something.
    var reporterCount: Int { waiting.count }

    /// The processes of sessions that have something to report now; not all, where there are many.
    func reporters() -> [CInt] { waiting.ready() }

    /// Follows a session that was just started.
    ///
    /// - Throws: ``SystemError`` where its reports could not be waited for; it is followed all the same.
    mutating func add(
        _ process: CInt,
        _ channel: consuming MessageSocket,
        identifier: String,
        address: IPAddress,
        hasClient: Bool = true,
        page: PageBox? = nil
    ) throws(SystemError) {
        let session = CensusSession(
            channel,
            waiting,
            identifier: identifier,
            address: address,
            spared: Deadline(after: sparedTime),
            settled: Deadline(after: settlingTime)
        )
        session.page = page
        sessions[process] = session
        if hasClient { noteClient(of: process) }
        try session.channelNumber.map { (number) throws(SystemError) in
            try waiting.add(number, as: process)
        }
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

    /// Forgets a session that is over, and gives its channel back to serve for another.
    ///
    /// - Returns: The channel, unless the process was told to go.
    mutating func release(_ process: CInt) -> MessageSocket? {
        guard let session = sessions[process] else { return nil }
        let channel = session.isToldToGo ? nil : session.takeChannel()
        remove(process)
        return channel
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
    /// One of the site (an IPv4 address, an IPv6 /48) that has most of them, and there of the network
    /// (/64) that has most. Whoever is new is given time to log in, and less of it where that site still
    /// has more than the newcomer's once it has made room. None at all is given to what a site has beyond
    /// its share, all sites having the same: the last to come goes then, unless somebody there has had
    /// the time. A newcomer from a site that has its share replaces nobody elsewhere. Nobody goes whose
    /// login is being checked.
    ///
    /// - Parameter newcomer: Where the other one is from.
    /// - Returns: Who has to go, for the log; `nil` when nobody has to.
    mutating func dismissOne(for newcomer: IPAddress) -> SessionEntry? {
        guard leavingCount < Self.maximumLeavingCountForFewer else { return nil }
        let takesSettled = leavingCount < Self.maximumLeavingCount
        let crowd = Crowd(sessions.values.filter(\.isPending).map(\.address), newcomer)
        let candidates = sessions.values.compactMap { session -> Candidate? in
            guard session.isIdleBeforeLogin else { return nil }
            let isSpared = !session.spared.hasPassed
            let goesEarly =
                crowd.outweighs(session.address)
                && (!isSpared || crowd.isBeyondShare(session.address))
            let goesLate =
                takesSettled && session.settled.hasPassed && crowd.mayReplace(session.address)
            guard goesEarly || goesLate else { return nil }
            return Candidate(
                session,
                weights: crowd.weights(of: session.address),
                isSpared: isSpared
            )
        }
        guard let chosen = candidates.min(by: Candidate.goesFirst)?.session else { return nil }
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
            return .attempt(process, session.address, user: user)
        case .waiting: session.isAttempting = false
        case .client(let address):
            session.address = address
            return .client(process, address)
        case .loginRefused(let isFailedProof):
            return .refusedLogin(
                process,
                session.address,
                user: session.attempted,
                isFailedProof: isFailedProof
            )
        case .login(let user, let maximum):
            session.answer(logIn(process, user, maximum: Int(maximum)))
        case .logout:
            session.isAttempting = false
            logOut(process)
        case .page(let page):
            guard let owner = page.isOfServer ? server : session.user.flatMap({ users[$0] }) else {
                session.answer(.noPage)
                return nil
            }
            session.hand(over: page, of: owner)
        case .systemSession, .systemSessionClosed: session.note(report)
        case .free:
            // Whoever has come to a login has run what may leave something behind.
            let isUnused =
                session.user == nil && session.attempted.isEmpty && session.systemUser == nil
            return isUnused ? .free(process) : .violation(process, .outOfTurn)
        case .sessions:
            let user = session.user
            let entries = sessions.values.filter { user != nil && $0.user == user }.map(\.entry)
            session.answer(.sessions(entries.sorted { $0.since < $1.since }))
        }
        return nil
    }

    // MARK: For administrators

    /// The sessions of processes with higher numbers than `process`, in their order.
    func sessions(after process: UInt32) -> [LiveSession] {
        sessions.filter { UInt32(clamping: $0.key) > process }.sorted { $0.key < $1.key }
            .map { $0.value.live(UInt32(clamping: $0.key)) }
    }

    /// Has sessions go, whatever they are at.
    ///
    /// - Returns: What the log calls them.
    mutating func kick(_ target: AdminTarget) -> [String] {
        var kicked: [String] = []
        for session in sessions.values where session.isMeant(by: target) && !session.isToldToGo {
            if session.isPending { leavingCount += 1 }
            session.kick()
            kicked.append(session.identifier)
        }
        return kicked.sorted()
    }

    /// How long a session has lasted, in nanoseconds; `nil` before its client is known.
    func age(of process: CInt) -> UInt64? {
        guard let session = sessions[process], session.hasClient else { return nil }
        return session.watch.nanoseconds
    }

    /// The page on which a session writes what it is at.
    func page(of process: CInt) -> PageBox? { sessions[process]?.page }

    /// Counts the sessions.
    func count(in status: inout ServerStatus) {
        status.loggedIn = UInt32(clamping: loggedInCount)
        status.beforeLogin = UInt32(clamping: sessions.count - loggedInCount)
        status.leaving = UInt32(clamping: leavingCount)
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

    private mutating func logIn(_ process: CInt, _ name: String, maximum: Int) -> CensusAnswer {
        logOut(process)
        let user = users[name] ?? CensusUser()
        guard maximum == 0 || user.sessionCount < maximum else {
            let network = sessions[process]?.address.network
            let isNearby = sessions.values.contains {
                $0.user == name && $0.address.network == network
            }
            return isNearby ? .fullNearby : .full
        }
        user.sessionCount += 1
        users[name] = user
        loggedInCount += 1
        sessions[process]?.user = name
        sessions[process]?.since = secondsSinceEpoch()
        return .admitted
    }

    private mutating func logOut(_ process: CInt) {
        guard let name = sessions[process]?.user.take(), let user = users[name] else { return }
        user.sessionCount -= 1
        loggedInCount -= 1
        if user.sessionCount == 0 { users[name] = nil }
    }
}

/// How those who have not logged in are spread, as a newcomer finds them.
private struct Crowd {
    private var sites: [IPAddress: Int] = [:]
    private var networks: [IPAddress: Int] = [:]
    private let newcomer: IPAddress
    /// What each site may have so that all have the same, the newcomer's among them.
    private let share: Int
    private let own: (site: Int, network: Int)

    init(_ addresses: [IPAddress], _ newcomer: IPAddress) {
        for address in addresses {
            sites[address.site, default: 0] += 1
            networks[address.network, default: 0] += 1
        }
        self.newcomer = newcomer
        own = (sites[newcomer.site, default: 0], networks[newcomer.network, default: 0])
        share = max(1, addresses.count / (sites.count + (own.site == 0 ? 1 : 0)))
    }

    func weights(of address: IPAddress) -> (site: Int, network: Int) {
        (sites[address.site, default: 0], networks[address.network, default: 0])
    }

    /// Whether there are more from where `address` is than the newcomer's share.
    func isBeyondShare(_ address: IPAddress) -> Bool { weights(of: address).site > share }

    /// Whether the newcomer may take the place of somebody there who has had the time.
    func mayReplace(_ address: IPAddress) -> Bool {
        own.site < share || address.site == newcomer.site
    }

    /// Whether there are still more from there than from where the newcomer is, once it has come.
    func outweighs(_ address: IPAddress) -> Bool {
        let weights = weights(of: address)
        if address.site == newcomer.site { return weights.network > own.network + 2 }
        return own.site < share && weights.site > own.site + 2
    }
}

/// A session that may have to go.
private struct Candidate {
    let session: CensusSession
    let weights: (site: Int, network: Int)
    /// Whether it has not had its time yet.
    let isSpared: Bool

    init(_ session: CensusSession, weights: (site: Int, network: Int), isSpared: Bool) {
        self.session = session
        self.weights = weights
        self.isSpared = isSpared
    }

    static func goesFirst(_ one: Candidate, _ other: Candidate) -> Bool {
        let (left, right) = (one.weights, other.weights)
        if left != right { return (left.site, left.network) > (right.site, right.network) }
        guard one.isSpared == other.isSpared else { return other.isSpared }
        // Whoever was there before those that are too many is not one of them.
        return one.isSpared
            ? one.session.settled > other.session.settled
            : one.session.settled < other.session.settled
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
    /// The process asks whether a login from this address, in this name, may be checked.
    case attempt(CInt, IPAddress, user: String)
    /// A proxy has named the client of the process.
    case client(CInt, IPAddress)
    /// A login from this address and in this name was refused; the process asks how many were.
    case refusedLogin(CInt, IPAddress, user: String, isFailedProof: Bool)
    /// The session of the process is over, and the process could serve another.
    case free(CInt)
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
    /// A login is being checked, and nothing is awaited of the client.
    var isAttempting = false
    private(set) var isLeaving = false
    private var isKicked = false
    /// Whether it is on its way out.
    var isToldToGo: Bool { isLeaving || isKicked }
    let watch = Stopwatch()
    /// When the client connected, in seconds since 1970.
    private let connected = secondsSinceEpoch()
    /// Where the Session writes what it is at.
    var page: PageBox?
    /// Whether the address is the client's, and no proxy's that has yet to name one.
    var hasClient = false
    /// From when on the session may have to make room for one of a network with fewer.
    let spared: Deadline
    /// From when on it may have to for anybody, unless it has logged in.
    let settled: Deadline
    private var channel: MessageSocket?
    private let waiting: WaitSet

    init(
        _ channel: consuming MessageSocket,
        _ waiting: WaitSet,
        identifier: String,
        address: IPAddress,
        spared: Deadline,
        settled: Deadline
    ) {
        self.spared = spared
        self.settled = settled
        self.channel = consume channel
        self.waiting = waiting
        self.identifier = identifier
        self.address = address
    }

    deinit { closeChannel() }

    private func closeChannel() {
        guard let channelNumber else { return }
        waiting.remove(channelNumber)
        channel = nil
    }

    var channelNumber: CInt? { channel?.descriptor.number }

    /// Hands the channel over, and waits for it no more.
    func takeChannel() -> MessageSocket? {
        if let channelNumber { waiting.remove(channelNumber) }
        return channel.take()
    }

    /// Whether the session has a client that has not logged in.
    var isPending: Bool { hasClient && user == nil && !isLeaving }

    /// Whether it waits for a login, and so may have to make room for another one.
    var isIdleBeforeLogin: Bool { isPending && !isAttempting }

    /// Tells the session to go, by the end of the channel.
    func dismiss() {
        isLeaving = true
        closeChannel()
    }

    /// Tells the session to end at once, by the end of what this process says on the channel; what
    /// the Warden says last still arrives.
    func kick() {
        // As one that makes room, as long as it has not logged in.
        if isPending { isLeaving = true }
        isKicked = true
        channel?.endSending()
    }

    /// Whether an administrator means this session.
    func isMeant(by target: AdminTarget) -> Bool {
        switch target {
        case .session(let identifier): self.identifier == identifier
        case .user(let name): userName == name
        case .network(let network): hasClient && network.contains(address)
        }
    }

    /// Who has logged in, without the kind of account in front.
    private var userName: String? {
        user.map { $0.split(separator: ":", maxSplits: 1).last.map(String.init) ?? $0 }
    }

    /// The session as administrators see it.
    func live(_ process: UInt32) -> LiveSession {
        LiveSession(
            process: process,
            identifier: identifier,
            address: address,
            user: userName,
            connected: connected,
            since: user == nil ? 0 : since,
            isLeaving: isToldToGo
        )
    }

    var entry: SessionEntry {
        SessionEntry(identifier: identifier, address: address, since: since)
    }

    /// The next report; `nil` when the Warden is gone, which the end of its process tells as well.
    func receive() -> Result<CensusReport?, MessageError> {
        guard let received = try? channel?.receive() else {
            closeChannel()
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
final class PageBox {
    let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }
}
