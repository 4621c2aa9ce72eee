internal import Authentication
internal import FTPProtocol
internal import LinuxSystem

/// Counts on the page that Listener and Wardens share, and that the process which is asked reads.
///
/// What sessions tell of themselves is counted as their word: one that somebody has taken over can
/// count too much, and take nothing back.
package final class Meter {
    /// What one event may add at most: more than a disk holds, and too little to overflow soon.
    private static let maximumAmount: Int64 = 1 << 50

    private let page: SharedPage

    /// Counts on `page`, which no child of this process gets.
    init(on page: SharedPage) throws(SystemError) {
        try page.keepFromChildren()
        self.page = page
    }

    /// Adds to a counter.
    func count(_ family: MetricFamily, _ index: Int = 0, by amount: Int64 = 1) {
        let amount = min(max(0, amount), Self.maximumAmount)
        page.add(amount, to: family.place(of: index))
    }

    /// Sets a gauge.
    func set(_ family: MetricFamily, _ index: Int = 0, to value: Int64) {
        page.store(value, at: family.place(of: index))
    }

    /// Counts a duration.
    func observe(_ family: MetricFamily, _ index: Int = 0, nanoseconds: UInt64) {
        guard case .histogram(let limits) = family.kind else { return }
        let nanoseconds = min(Int64(clamping: nanoseconds), Self.maximumAmount)
        let place = family.place(of: index)
        let bucket = limits.firstIndex { nanoseconds <= $0 * 1_000_000 } ?? limits.count
        page.add(1, to: place + bucket)
        page.add(nanoseconds, to: place + limits.count + 1)
    }

    // MARK: What happens

    /// Counts the start of a process.
    func noteStart(of role: ProcessRole) { count(Metrics.starts, role.rawValue) }

    /// Counts a client that was turned away.
    func note(_ refusal: ClientRefusal) {
        if let index = ClientRefusal.allCases.firstIndex(of: refusal) {
            count(Metrics.refusals, index)
        }
    }

    /// Counts a login, or why there was none.
    func note(_ refusal: LoginRefusal?, nanoseconds: UInt64) {
        let result: LoginResult =
            switch refusal {
            case nil: .success
            case .unavailable: .unavailable
            case let refusal?: refusal.isFailedProof ? .failed : .refused
            }
        count(Metrics.logins, result.rawValue)
        observe(Metrics.loginDurations, nanoseconds: nanoseconds)
    }

    /// Counts a handshake.
    func note(_ report: HandshakeReport) {
        guard let index = report.index else { return }
        count(Metrics.handshakes, index)
        if !report.isData {
            observe(Metrics.handshakeDurations, nanoseconds: report.nanoseconds)
        }
    }

    /// Counts a transfer.
    func note(_ action: LoggedAction) {
        guard action.kind.isTransfer else { return }
        let direction = action.kind == .download ? 0 : 1
        count(Metrics.transfers, 2 * direction + (action.isDone ? 0 : 1))
        count(Metrics.bytes, direction, by: Int64(clamping: action.byteCount))
        observe(Metrics.transferDurations, direction, nanoseconds: action.nanoseconds)
    }

    /// Counts a reload.
    package func noteReload(isDone: Bool) { count(Metrics.reloads, isDone ? 0 : 1) }

    /// Notes when the server was started, in seconds since 1970.
    package func note(start: Int64) { set(Metrics.start, to: start) }

    /// Notes when certificates expire, in seconds since 1970.
    package func note(expiries: [Int64]) {
        for index in 0..<Metrics.maximumCertificateCount {
            set(Metrics.expiries, index, to: expiries.indices.contains(index) ? expiries[index] : 0)
        }
    }
}
