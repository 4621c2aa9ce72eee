internal import FTPProtocol
internal import LinuxSystem

/// Which passive ports are out, by the client's address (`pasv_max_per_ip`).
///
/// Lies on a page of all Wardens. A Session does not say when it closes a port, and one that somebody
/// else controls would not; so a port counts until nobody listens on it, which is looked at when the
/// same address wants another one.
struct PassivePortLedger {
    private let page: SharedPage
    private let maximum: Int

    init(on page: SharedPage, maximum: Int) {
        self.page = page
        self.maximum = maximum
    }

    /// Whether one more port may go to `client`.
    ///
    /// - Parameters:
    ///   - client: The client's address, which counts by its network.
    ///   - isFree: Whether nobody listens on a port any more.
    /// - Returns: `true` when there are fewer than allowed.
    func admits(_ client: IPAddress, isFree: (UInt16) -> Bool) -> Bool {
        let owner = owner(client)
        var count = 0
        for index in 0..<SharedPage.count {
            let entry = page.load(index)
            guard entry != 0, entry & ~0xFFFF == owner else { continue }
            if isFree(port(of: entry)) {
                _ = page.exchange(entry, for: 0, at: index)
            } else {
                count += 1
            }
        }
        return count < maximum
    }

    /// Notes that `client` has got a port.
    ///
    /// When the page is full, what is out of date makes room; an entry that still finds none is left
    /// out, which is generous to its client and unfair to nobody.
    func note(_ number: UInt16, for client: IPAddress, isFree: (UInt16) -> Bool) {
        let entry = owner(client) | Int64(number)
        for index in 0..<SharedPage.count where page.exchange(0, for: entry, at: index) { return }
        for index in 0..<SharedPage.count {
            let old = page.load(index)
            if old == 0 || isFree(port(of: old)), page.exchange(old, for: entry, at: index) {
                return
            }
        }
    }

    private func port(of entry: Int64) -> UInt16 { UInt16(truncatingIfNeeded: entry) }

    /// Every Warden hashes alike, since all are forked from one process.
    private func owner(_ client: IPAddress) -> Int64 {
        var hasher = Hasher()
        hasher.combine(client.network)
        return Int64(truncatingIfNeeded: hasher.finalize()) & ~0xFFFF
    }
}
