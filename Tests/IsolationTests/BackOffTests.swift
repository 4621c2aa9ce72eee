import FTPProtocol
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

@Suite("Failed logins, counted by user and by address")
struct FailureCountsTests {
    @Test func countEachKeyByItself() {
        var counts = FailureCounts<String>(period: .seconds(600))
        #expect(counts.note("a") == 1)
        #expect(counts.note("a") == 2)
        #expect(counts.note("b") == 1)
        #expect(counts.note("a") == 3)
    }

    @Test func areForgottenAfterThePeriod() {
        var counts = FailureCounts<String>(period: .zero)
        #expect(counts.note("a") == 1)
        #expect(counts.note("a") == 1)
    }

    @Test func aFloodOfNamesCostsBoundedMemoryAndForgetsTheOldestFirst() {
        var counts = FailureCounts<Int>(period: .seconds(600))
        for key in 0..<40_000 { _ = counts.note(key) }
        #expect(counts.count <= 16_384)
        #expect(counts.note(39_999) == 2)
        #expect(counts.note(0) == 1)
    }

    @Test func oneNetworkOfIPv6IsOneAddress() {
        var counts = FailureCounts<IPAddress>(period: .seconds(600))
        let host = IPAddress.v6(high: 0x2001_0DB8_0000_0001, low: 1)
        let other = IPAddress.v6(high: 0x2001_0DB8_0000_0001, low: 0xFFFF)
        let elsewhere = IPAddress.v6(high: 0x2001_0DB8_0000_0002, low: 1)
        #expect(counts.note(host.network) == 1)
        #expect(counts.note(other.network) == 2)
        #expect(counts.note(elsewhere.network) == 1)
    }
}
