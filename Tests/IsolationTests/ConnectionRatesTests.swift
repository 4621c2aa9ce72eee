import FTPProtocol
import Testing

@testable import Isolation

@Suite("Connections a minute")
struct ConnectionRatesTests {
    /// Counts `count` connections and tells of each whether it was one too many.
    private func verdicts(
        _ rates: inout ConnectionRates,
        _ address: IPAddress,
        _ count: Int
    ) -> [Bool] {
        (0..<count).map { _ in rates.isTooMany(from: address) }
    }

    @Test func theOneBeyondIsTooMany() {
        var rates = ConnectionRates(maximum: 2)
        #expect(verdicts(&rates, .v4(1), 4) == [false, false, true, true])
        #expect(verdicts(&rates, .v4(2), 1) == [false])
    }

    @Test func zeroIsNoLimit() {
        var rates = ConnectionRates(maximum: 0)
        #expect(!verdicts(&rates, .v4(1), 1_000).contains(true))
    }

    @Test func theNextMinuteBeginsAnew() {
        var rates = ConnectionRates(maximum: 1, period: .zero)
        #expect(verdicts(&rates, .v4(1), 3) == [false, false, false])
    }

    @Test func aNetworkOfIPv6CountsAsOneClient() {
        var rates = ConnectionRates(maximum: 1)
        #expect(verdicts(&rates, .v6(high: 7, low: 1), 1) == [false])
        #expect(verdicts(&rates, .v6(high: 7, low: 2), 1) == [true])
        #expect(verdicts(&rates, .v6(high: 8, low: 1), 1) == [false])
    }

    @Test func aFloodOfAddressesNeedsBoundedMemory() {
        var rates = ConnectionRates(maximum: 1)
        for number in 0..<50_000 as Range<UInt32> { _ = rates.isTooMany(from: .v4(number)) }
        #expect(rates.count <= 16_384)
    }

    @Test func aFloodOfNetworksMakesNobodyForgottenWhoConnectedTooOften() {
        var rates = ConnectionRates(maximum: 2)
        #expect(verdicts(&rates, .v4(1), 3) == [false, false, true])
        // What one owner of a /48 has.
        for number in 0..<65_536 as Range<UInt64> {
            _ = rates.isTooMany(from: .v6(high: 0x2001_0DB8_0000_0000 | number, low: 1))
        }
        #expect(verdicts(&rates, .v4(1), 1) == [true])
        #expect(rates.count <= 16_384)
    }
}
