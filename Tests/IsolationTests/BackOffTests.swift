import Testing

@testable import Isolation

@Suite("Delays that grow with failed logins")
struct BackOffTests {
    private let backOff = BackOff(base: .seconds(1), maximum: .seconds(10))

    @Test(
        arguments: [
            (0, 1), (1, 1), (3, 1), (4, 2), (5, 4), (6, 8), (7, 10), (8, 10), (1_000_000, 10),
            (UInt32.max, 10),
        ] as [(UInt32, Int)]
    )
    func doubleAfterTheFirstFew(failures: UInt32, seconds: Int) {
        #expect(backOff.delay(after: failures) == .seconds(seconds))
    }

    @Test func aMaximumBelowTheDelayLeavesTheDelay() {
        let backOff = BackOff(base: .seconds(5), maximum: .seconds(2))
        #expect(backOff.delay(after: 1) == .seconds(5))
        #expect(backOff.delay(after: 100) == .seconds(5))
    }

    @Test func withoutADelayNothingGrows() {
        let backOff = BackOff(base: .zero, maximum: .seconds(16))
        #expect(backOff.delay(after: 100) == .zero)
    }
}
