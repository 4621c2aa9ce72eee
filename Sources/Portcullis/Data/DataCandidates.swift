internal import LinuxSystem
internal import TLS

/// The connections at a passive port of which one may become the data connection.
///
/// Anybody may connect, often, and say nothing. So there is room for many that are silent, little
/// for those that have begun TLS, which costs memory, and nobody is given up for others before an
/// honest client would have spoken: those who come wait in the kernel meanwhile.
struct DataCandidates {
    /// Connections held side by side.
    ///
    /// A Session may hold this many descriptors more than it needs for everything else.
    private static let maximumCount = 256

    /// Connections under TLS, side by side.
    private static let maximumBegunCount = 32

    /// Connections that stay until the transfer command, whoever comes behind them.
    ///
    /// A client that connects at once and takes its time is not pushed out by those who come later.
    private static let maximumEarlyCount = 64

    private let policy: AdmissionPolicy
    private(set) var all: [DataHandshake] = []

    init(_ policy: AdmissionPolicy) {
        self.policy = policy
    }

    /// What to wait for.
    var pollEntries: [PollEntry] { all.map(\.pollEntry) }

    /// Whether the next that comes may stay until the transfer command.
    var hasRoomForEarly: Bool { all.count(where: \.staysUntilStart) < Self.maximumEarlyCount }

    /// Whether there is or can be made room for one more.
    var hasRoom: Bool { all.count < Self.maximumCount || longestWaiting != nil }

    /// When to look at them even if none is ready; also when there may be room if that is awaited.
    func deadline(awaitsRoom: Bool) -> Deadline {
        let holdsBack = all.contains(where: \.isHeldBack)
        return all.reduce(.never) { deadline, one in
            let awaitsThis = one.hasBegun ? holdsBack : awaitsRoom
            return min(deadline, one.expiry, awaitsThis ? one.patience : .never)
        }
    }

    /// Begins to count the time: the transfer command was given.
    func start() {
        for one in all { one.start() }
    }

    /// Takes those on that have something to say or whose time is over.
    ///
    /// - Parameter entries: ``pollEntries``, and what poll(2) has found.
    mutating func advance(_ entries: [PollEntry]) {
        let ready = zip(all, entries).filter { one, entry in
            entry.isReadable || entry.isWritable || one.isHeldBack || one.expiry.hasPassed
        }
        // Those under TLS first: others may have to take the place of one that has stopped.
        for (one, _) in ready where one.hasBegun { one.advance() }
        for (one, _) in ready where !one.hasBegun { advance(one) }
    }

    /// Takes a new one in.
    ///
    /// - Precondition: ``hasRoom``.
    /// - Returns: The one that had to go.
    mutating func add(_ candidate: DataHandshake) -> DataHandshake? {
        var displaced: DataHandshake?
        if all.count >= Self.maximumCount, let index = longestWaiting {
            displaced = all.remove(at: index)
        }
        all.append(candidate)
        advance(candidate)
        return displaced
    }

    /// Ends those of which `isOver` holds.
    mutating func removeAll(where isOver: (DataHandshake) -> Bool) {
        all.removeAll(where: isOver)
    }

    private mutating func advance(_ candidate: DataHandshake) {
        let begun = all.indices.filter { all[$0].hasBegun }
        guard begun.count >= Self.maximumBegunCount else {
            candidate.advance()
            return
        }
        candidate.advance(mayBeginTLS: false)
        guard candidate.isHeldBack, let index = preferred(begun) else { return }
        all.remove(at: index)
        candidate.advance()
    }

    /// The one without TLS that goes first: nobody who has spoken while there are silent ones.
    private var longestWaiting: Int? { preferred(all.indices.filter { !all[$0].hasBegun }) }

    /// Which of `indices` may go, and first of all: one of which its proxy has not said whose it
    /// is, then one from elsewhere than the control connection, then the oldest.
    private func preferred(_ indices: [Int]) -> Int? {
        indices.filter { all[$0].mayBeDisplaced }.min { worth($0) < worth($1) }
    }

    private func worth(_ index: Int) -> Int {
        let one = all[index]
        let isOwn = one.stream.peer.address == policy.controlPeer.address
        return (one.isHeldBack ? 4 : 0) + (one.isIdentified ? 2 : 0) + (isOwn ? 1 : 0)
    }
}
