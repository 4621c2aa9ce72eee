import LinuxSystem
import Testing

@Suite("Rates: the generic cell rate algorithm")
struct RateLimiterTests {
    /// Milliseconds until `deadline`.
    private func wait(_ deadline: Deadline) -> Int { Int(deadline.pollTimeout) }

    @Test func whatIsMovedHasToBePaidFor() {
        let limiter = RateLimiter(rate: 1_000)
        #expect((900...1_000).contains(wait(limiter.charge(1_000))))
        #expect((1_800...2_000).contains(wait(limiter.charge(1_000))))
        #expect((1_800...2_000).contains(wait(limiter.charge(0))))
    }

    @Test func aSmallDelayIsMadeUpFor() {
        let limiter = RateLimiter(rate: 1_000_000)
        sleep(for: .milliseconds(30))
        // Paid for by the time that has passed.
        #expect(limiter.charge(20_000).hasPassed)
    }

    @Test func whoeverWouldHaveToWaitIsToldSoAndChargedNothing() throws {
        let page = try SharedPage(mapping: SharedPage.make())
        let limiter = RateLimiter(rate: 10_000, sharing: page, at: 0)
        #expect(limiter.chargeIfDue(500))
        _ = limiter.charge(10_000)
        let state = page.load(0)
        #expect(!limiter.chargeIfDue(1))
        #expect(page.load(0) == state)
    }

    @Test func alongPauseIsNotSavedUp() {
        let limiter = RateLimiter(rate: 1_000)
        sleep(for: .milliseconds(400))
        #expect(wait(limiter.charge(1_000)) > 800)
    }

    @Test(arguments: [1, 2, 1_000_000, Int.max - 1, .max])
    func noNumberOverflows(rate: Int) {
        let limiter = RateLimiter(rate: rate)
        for count in [0, 1, 262_144, Int.max, Int.max, -1] { _ = limiter.charge(count) }
        #expect(limiter.rate == rate)
        #expect(RateLimiter(rate: 0).rate == 1)
    }

    @Test func severalShareOneRate() throws {
        let page = try SharedPage(mapping: SharedPage.make())
        let first = RateLimiter(rate: 1_000, sharing: page, at: 3)
        let second = RateLimiter(rate: 1_000, sharing: page, at: 3)
        let other = RateLimiter(rate: 1_000, sharing: page, at: 4)
        // The time before the first byte counts as a small delay.
        #expect((850...1_000).contains(wait(first.charge(1_000))))
        #expect((1_800...2_000).contains(wait(second.charge(1_000))))
        #expect((2_700...3_000).contains(wait(first.charge(1_000))))
        #expect((850...1_000).contains(wait(other.charge(1_000))))
    }

    @Test(arguments: [Int64.max, .min, -1, .max / 2])
    func nonsenseOnThePageHoldsNobodyForLong(number: Int64) throws {
        let page = try SharedPage(mapping: SharedPage.make())
        #expect(page.exchange(0, for: number, at: 0))
        let limiter = RateLimiter(rate: 1_000_000, sharing: page, at: 0)
        #expect(wait(limiter.charge(1)) <= 3_600_001)
        #expect(wait(limiter.charge(1)) <= 3_600_001)
    }
}
