import FTPProtocol
import Testing

@testable import Isolation

@Suite("Refused logins, counted by user and by address")
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

    @Test func spellingsOfANameCountTogether() {
        var counts = FailureCounts<String>(period: .seconds(60))
        #expect(["root", "Root", "ROOT", "rOOt"].map { counts.note(user: $0) } == [1, 2, 3, 4])
        #expect(counts.note(user: "roo") == 1)
        // One letter, written in two ways.
        #expect(counts.note(user: "\u{E9}") == 1)
        #expect(counts.note(user: "E\u{301}") == 2)
        #expect(counts.count == 3)
    }

    @Test func aHundredThousandNamesTakeNoMoreRoomThanSomeThousand() {
        var counts = FailureCounts<String>(period: .seconds(600))
        for number in 0..<100_000 { _ = counts.note(user: "user\(number)") }
        #expect(counts.count <= 16_384)
        #expect(counts.count > 4_096)
    }

    @Test func aFloodOfNamesForgetsNobodyWhoFailedAgainAndAgain() {
        var counts = FailureCounts<String>(period: .seconds(600))
        for _ in 1...9 { _ = counts.note(user: "victim") }
        for number in 0..<50_000 { _ = counts.note(user: "user\(number)") }
        #expect(counts.note(user: "victim") == 10)
    }
}
