/// How long refusals wait: the same for the first few failed logins, then twice as long with each.
///
/// Only refusals wait, so nobody can keep a user out by failing in the user's name. The wait takes
/// one of the places that clients have before the login, whether the client stays or goes.
package struct BackOff: Hashable, Sendable {
    /// Failed logins that cost no more than the first: people mistype.
    static let freeCount: UInt32 = 3

    /// The wait before the first refusals (`delay_failed_login`); with none there is never any.
    package var base: Duration

    /// The longest wait (`delay_failed_login_max`).
    package var maximum: Duration

    /// Describes a back-off.
    package init(base: Duration, maximum: Duration) {
        self.base = base
        self.maximum = maximum
    }

    /// The wait after so many failed logins of the user, or from the address.
    func delay(after failures: UInt32) -> Duration {
        guard failures > Self.freeCount else { return base }
        // Ten doublings are more than any maximum leaves room for.
        let factor = 1 << min(failures - Self.freeCount, 10)
        return max(base, min(base * factor, maximum))
    }
}
