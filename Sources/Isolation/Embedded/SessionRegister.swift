internal import Authentication
internal import FTPProtocol
internal import LinuxSystem
internal import Synchronization

/// The sessions of a server whose sessions are threads: what they share, behind one lock.
///
/// What the Listener knows of processes, this knows of threads.
final class SessionRegister: Sendable {
    /// What is behind the lock.
    private struct State {
        var counter: AddressCounter
        var bans: Bans<IPAddress>
        var locks: Bans<String>
        var failuresOfUsers: FailureCounts<String>
        var failuresFromAddresses: FailureCounts<IPAddress>
        var nextNumber: CInt = 0
        var logins: [CInt: Login] = [:]
        var users: [String: User] = [:]
        var passivePorts: [IPAddress: Int] = [:]
    }

    private struct Login {
        let user: String
        let entry: SessionEntry
    }

    /// What the sessions of one user share.
    private struct User {
        var sessions: Set<CInt> = []
        var rate: SharedDescriptor?
    }

    private let state: Mutex<State>
    private let serverRate: SharedDescriptor?

    /// Called, on the thread of the session, when one has ended.
    let hasShrunk: WakeUp

    init(_ settings: EmbeddedSettings) throws(SystemError) {
        state = Mutex(
            State(
                counter: AddressCounter(
                    maximum: settings.maximumClients,
                    maximumPerAddress: settings.maximumClientsPerAddress
                ),
                bans: Bans(settings.bans),
                locks: Bans(settings.userLocks),
                failuresOfUsers: FailureCounts(period: settings.bans.period),
                failuresFromAddresses: FailureCounts(period: settings.bans.period)
            )
        )
        serverRate = settings.warden.serverRate > 0 ? try SharedDescriptor() : nil
        hasShrunk = try WakeUp()
    }

    /// How many sessions there are.
    var count: Int { state.withLock { $0.counter.processes.count } }

    // MARK: Clients

    /// What becomes of a client.
    enum Admission {
        /// The number of its session.
        case admitted(CInt)
        /// It is turned away.
        case refused(ClientRefusal)
    }

    /// Counts a client, or tells why it is turned away.
    func admit(_ address: IPAddress) -> Admission {
        state.withLock { state in
            if state.bans.holds(address) { return .refused(.banned) }
            if let refusal = state.counter.refusal(of: address) { return .refused(refusal) }
            // More sessions than numbers there will never be at a time.
            repeat {
                state.nextNumber = state.nextNumber == .max ? 0 : state.nextNumber + 1
            } while state.counter.contains(state.nextNumber)
            state.counter.add(state.nextNumber, from: address)
            return .admitted(state.nextNumber)
        }
    }

    /// Forgets a session that has ended.
    func remove(_ session: CInt) {
        logOut(session)
        state.withLock { $0.counter.remove(session) }
        hasShrunk.call()
    }

    // MARK: Logins

    /// Why no login in this name and from this address may be checked at all, or `nil`.
    func bar(to user: String, from address: IPAddress) -> LoginBar? {
        state.withLock { state in
            if state.bans.holds(address) { return .addressIsBanned }
            return state.locks.holds(user) ? .userIsLocked : nil
        }
    }

    /// What a refused login leads to.
    struct RefusalOutcome {
        /// How many failed of late in the user's name or from the address, whichever is more.
        let count: UInt32
        /// Whether the address is banned by it.
        let isBan: Bool
        /// Whether the user is locked out by it.
        let isLock: Bool
    }

    /// Counts a login that was refused; towards a ban where somebody may have been guessing.
    func noteRefusal(
        of user: String,
        from address: IPAddress,
        isFailedProof: Bool
    ) -> RefusalOutcome {
        state.withLock { state in
            let ofUser = state.failuresOfUsers.note(user: user)
            let fromAddress = state.failuresFromAddresses.note(address.network)
            return RefusalOutcome(
                count: max(ofUser, fromAddress),
                isBan: isFailedProof && state.bans.noteFailure(from: address),
                isLock: isFailedProof && state.locks.noteFailure(of: user)
            )
        }
    }

    /// Counts a login, unless the user has `maximum` sessions already; 0 for any number.
    ///
    /// - Returns: Why it is refused, or `nil`.
    func logIn(
        _ session: CInt,
        _ user: String,
        _ entry: SessionEntry,
        maximum: UInt32
    ) -> LoginRefusal? {
        state.withLock { state in
            let sessions = state.users[user]?.sessions ?? []
            guard maximum == 0 || sessions.count < Int(maximum) else {
                let network = entry.address.network
                let isTold = sessions.contains {
                    state.logins[$0]?.entry.address.network == network
                }
                return .tooManySessions(isTold: isTold)
            }
            state.users[user, default: User()].sessions.insert(session)
            state.logins[session] = Login(user: user, entry: entry)
            return nil
        }
    }

    /// Takes a login out of the count, if there is one.
    func logOut(_ session: CInt) {
        state.withLock { state in
            guard let login = state.logins.removeValue(forKey: session) else { return }
            state.users[login.user]?.sessions.remove(session)
            if state.users[login.user]?.sessions.isEmpty == true { state.users[login.user] = nil }
        }
    }

    /// The sessions of the user of a session, the oldest first.
    func sessions(besides session: CInt) -> [SessionEntry] {
        state.withLock { state in
            guard let user = state.logins[session]?.user else { return [] }
            return (state.users[user]?.sessions ?? [])
                .compactMap { state.logins[$0]?.entry }
                .sorted { ($0.since, $0.identifier) < ($1.since, $1.identifier) }
        }
    }

    // MARK: Rates

    /// The page on which the user's sessions share their rate.
    func ratePage(of session: CInt) -> SharedPage? {
        let page = state.withLock { state -> SharedDescriptor? in
            guard let user = state.logins[session]?.user else { return nil }
            if let page = state.users[user]?.rate { return page }
            let page = try? SharedDescriptor()
            state.users[user]?.rate = page
            return page
        }
        return page?.map()
    }

    /// The page on which all sessions share the server's rate.
    func serverRatePage() -> SharedPage? { serverRate?.map() }

    // MARK: Passive ports

    /// Counts one more passive port of an address, unless it has `maximum`; 0 for any number.
    func takePort(for address: IPAddress, maximum: Int) -> Bool {
        state.withLock { state in
            let count = state.passivePorts[address.network, default: 0]
            guard maximum == 0 || count < maximum else { return false }
            state.passivePorts[address.network] = count + 1
            return true
        }
    }

    /// Has a passive port count no longer.
    func givePortBack(for address: IPAddress) {
        state.withLock { state in
            let count = state.passivePorts[address.network, default: 1] - 1
            state.passivePorts[address.network] = count > 0 ? count : nil
        }
    }
}

/// The descriptor of a page that several threads map, each for itself.
private final class SharedDescriptor: Sendable {
    private let descriptor: OwnedDescriptor

    init() throws(SystemError) {
        descriptor = try SharedPage.make()
    }

    func map() -> SharedPage? { try? SharedPage(mapping: descriptor) }
}
