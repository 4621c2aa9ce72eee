package import LinuxSystem

/// What a user has stored, on a page that all Agents of the user share.
///
/// What an upload may still write is counted as stored until the upload has ended, so that several
/// at once cannot exceed a quota together.
package final class QuotaLedger {
    private enum Place {
        /// ``State``, as a number.
        static let state = 0
        static let bytes = 1
        static let files = 2
    }

    private enum State {
        static let unknown: Int64 = 0
        static let counting: Int64 = 1
        static let counted: Int64 = 2
    }

    /// More than any disk holds, and far from an overflow.
    static let maximum = Int64.max / 4

    /// How often, and in all for 30 seconds, another Agent that counts is looked after.
    private static let patience = 3_000
    private static let interval: Duration = .milliseconds(10)

    private let page: SharedPage

    /// Keeps the numbers on `page`.
    package init(on page: SharedPage) {
        self.page = page
    }

    /// Bytes and files that are stored or promised.
    var usage: (bytes: Int64, files: Int64) { (page.load(Place.bytes), page.load(Place.files)) }

    /// Has the numbers counted unless they are known.
    ///
    /// The first of several Agents counts, and the others wait for it.
    func ensureCounted(_ count: () -> (bytes: Int64, files: Int64)) {
        var looks = 0
        while page.load(Place.state) != State.counted {
            // One that does not come to an end may have been killed.
            let isOurs =
                page.exchange(State.unknown, for: State.counting, at: Place.state)
                || looks >= Self.patience
            guard isOurs else {
                looks += 1
                sleep(for: Self.interval)
                continue
            }
            let found = count()
            set(Place.bytes) { _ in found.bytes }
            set(Place.files) { _ in found.files }
            set(Place.state) { _ in State.counted }
        }
    }

    /// Lets others count, in the place of a process that was killed while it did.
    func giveUpCounting() {
        _ = page.exchange(State.counting, for: State.unknown, at: Place.state)
    }

    /// Counts bytes and files that came or went.
    func adjust(bytes: Int64, files: Int64) {
        guard page.load(Place.state) == State.counted else { return }
        set(Place.bytes) { Self.sum($0, bytes) }
        set(Place.files) { Self.sum($0, files) }
    }

    /// Promises up to `wanted` bytes, as far as `limit` allows.
    ///
    /// - Returns: The bytes that were promised, 0 when the limit is reached.
    func reserve(bytes wanted: Int64, limit: Int64) -> Int64 {
        take(wanted, at: Place.bytes, limit: limit)
    }

    /// Promises one file, if `limit` allows.
    func reserveFile(limit: Int64) -> Bool {
        take(1, at: Place.files, limit: limit) == 1
    }

    private func take(_ wanted: Int64, at place: Int, limit: Int64) -> Int64 {
        while true {
            let old = page.load(place)
            let room = max(0, min(limit, Self.maximum) - max(0, min(old, Self.maximum)))
            let taken = min(max(0, wanted), room)
            if taken == 0 || page.exchange(old, for: Self.sum(old, taken), at: place) {
                return taken
            }
        }
    }

    private func set(_ place: Int, _ change: (Int64) -> Int64) {
        while true {
            let old = page.load(place)
            if page.exchange(old, for: change(old), at: place) { return }
        }
    }

    /// Whatever the numbers are, the sum is neither negative nor too large.
    private static func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        guard !overflow else { return right > 0 ? maximum : 0 }
        return max(0, min(sum, maximum))
    }
}
