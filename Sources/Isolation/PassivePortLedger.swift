internal import FTPProtocol
internal import LinuxSystem

/// Which clients have passive ports open, by their address (`pasv_max_per_ip`).
///
/// Lies on a page of all Wardens of a daemon, one number for each port: whose it is, and which Warden
/// keeps it. A Warden keeps one at a time, and strikes it off when it closes; the Listener does so
/// for a Warden that has ended.
struct PassivePortLedger {
    /// What a place counts for.
    enum Verdict {
        /// It is among the first so many.
        case admitted
        /// It is not, as long as nobody gives one up.
        case full
        /// Somebody else's that came at the same time will be given up in a moment.
        case contended
    }

    private static let interval: Duration = .milliseconds(2)

    private let page: SharedPage
    private let maximum: Int
    private let process: CInt
    private let patience: Duration
    private var place: Int?

    /// Opens the ledger for one Warden.
    ///
    /// - Parameters:
    ///   - page: The page.
    ///   - maximum: Ports that one address may have.
    ///   - process: The Warden's id.
    ///   - patience: How long a port that has just closed may take to be struck off.
    init(
        on page: SharedPage,
        maximum: Int,
        process: CInt = DaemonProcess.id,
        patience: Duration = .milliseconds(100)
    ) {
        self.page = page
        self.maximum = maximum
        self.process = process
        self.patience = patience
    }

    /// Takes a place for one port of `client`, before the port is opened.
    ///
    /// Whoever has a place keeps it.
    ///
    /// - Returns: Whether the port may be opened; if so, ``giveUp()`` ends that.
    mutating func take(for client: IPAddress) -> Bool {
        guard place == nil else { return true }
        let deadline = Deadline(after: patience)
        while true {
            // A full page, which is no fault of this client's, keeps nobody out who has too few.
            guard claim(for: client) else { return count(of: client).decided < maximum }
            switch judge(client) {
            case .admitted: return true
            // Until the next look, so that of two that claim the last place one gets it.
            case .full: giveUp()
            case .contended: break
            }
            guard !deadline.hasPassed else { break }
            sleep(for: Self.interval)
        }
        giveUp()
        return false
    }

    /// Strikes the port off; does nothing where none was noted.
    mutating func giveUp() {
        guard let place = place.take() else { return }
        let entry = page.load(place)
        guard Entry.process(of: entry) == process else { return }
        _ = page.exchange(entry, for: 0, at: place)
    }

    /// Claims a place that counts for others from now on, without asking whether it may be had.
    ///
    /// - Returns: `false` when the page is full.
    mutating func claim(for client: IPAddress) -> Bool {
        guard place == nil else { return true }
        let entry = Entry.make(client, process, isDecided: false)
        place = (0..<SharedPage.count).first { page.exchange(0, for: entry, at: $0) }
        return place != nil
    }

    /// Looks whether the place that was claimed is among the first so many.
    ///
    /// Of those admitted, the last to claim has seen all others when it counted: never are there
    /// more than the maximum. Of those that wait, the one with the lowest place yields to nobody:
    /// never do all of them go without.
    func judge(_ client: IPAddress) -> Verdict {
        guard let place else { return .full }
        let others = count(of: client, besides: place)
        guard others.decided + others.lower < maximum else { return .full }
        guard others.decided + others.lower + others.higher < maximum else { return .contended }
        let entry = Entry.make(client, process, isDecided: false)
        let decided = Entry.make(client, process, isDecided: true)
        return page.exchange(entry, for: decided, at: place) ? .admitted : .full
    }

    private func count(
        of client: IPAddress,
        besides own: Int = SharedPage.count
    ) -> (decided: Int, lower: Int, higher: Int) {
        let owner = Entry.owner(client)
        var count = (decided: 0, lower: 0, higher: 0)
        for index in 0..<SharedPage.count where index != own {
            let entry = page.load(index)
            guard entry != 0, Entry.owner(of: entry) == owner else { continue }
            if Entry.isDecided(entry) {
                count.decided += 1
            } else if index < own {
                count.lower += 1
            } else {
                count.higher += 1
            }
        }
        return count
    }

    /// Strikes off what a Warden has left behind.
    static func forget(_ process: CInt, on page: SharedPage) {
        for index in 0..<SharedPage.count {
            let entry = page.load(index)
            guard entry != 0, Entry.process(of: entry) == process else { continue }
            _ = page.exchange(entry, for: 0, at: index)
        }
    }
}

/// The number for one port: 40 bits for the client, one for whether it is decided, 23 for the Warden.
private enum Entry {
    private static let decisionBit: Int64 = 1 << 23

    /// Every Warden hashes alike, since all are forked from one process.
    static func owner(_ client: IPAddress) -> Int64 {
        var hasher = Hasher()
        hasher.combine(client.network)
        return owner(of: Int64(truncatingIfNeeded: hasher.finalize()))
    }

    static func owner(of entry: Int64) -> Int64 { entry & ~0xFF_FFFF }

    static func isDecided(_ entry: Int64) -> Bool { entry & decisionBit != 0 }

    /// No id is larger than 4,194,304 (pid_max, proc(5)).
    static func process(of entry: Int64) -> CInt { CInt(truncatingIfNeeded: entry & 0x7F_FFFF) }

    static func make(_ client: IPAddress, _ process: CInt, isDecided: Bool) -> Int64 {
        owner(client) | (isDecided ? decisionBit : 0) | Int64(process) & 0x7F_FFFF
    }
}
