import FTPProtocol
import Testing

@testable import Isolation

@Suite("Bans after failed logins")
struct AddressBansTests {
    private func bans(_ failures: Int, time: Duration = .seconds(600)) -> AddressBans {
        var settings = BanSettings()
        settings.failures = failures
        settings.time = time
        return AddressBans(settings)
    }

    private func fails(_ bans: inout AddressBans, _ address: IPAddress) -> Bool {
        bans.noteFailure(from: address)
    }

    private func holds(_ bans: inout AddressBans, _ address: IPAddress) -> Bool {
        bans.holds(address)
    }

    private let address = IPAddress.v4(0xC000_0201)

    @Test func theNthFailureBans() {
        var bans = bans(3)
        #expect(!fails(&bans, address))
        #expect(!fails(&bans, address))
        #expect(!holds(&bans, address))
        #expect(fails(&bans, address))
        #expect(holds(&bans, address))
        #expect(!holds(&bans, .v4(0xC000_0202)))
    }

    @Test func aBanIsToldOnce() {
        var bans = bans(1)
        #expect(fails(&bans, address))
        #expect(!fails(&bans, address))
        #expect(holds(&bans, address))
    }

    @Test func aBanEnds() {
        var bans = bans(1, time: .zero)
        _ = bans.noteFailure(from: address)
        #expect(!holds(&bans, address))
        #expect(fails(&bans, address))
    }

    @Test func failuresOfLongAgoDoNotCount() {
        var settings = BanSettings()
        settings.failures = 2
        settings.period = .zero
        var bans = AddressBans(settings)
        #expect(!fails(&bans, address))
        #expect(!fails(&bans, address))
        #expect(!holds(&bans, address))
    }

    @Test func zeroBansNobody() {
        var bans = bans(0)
        for _ in 0..<1_000 { #expect(!fails(&bans, address)) }
        #expect(!holds(&bans, address))
    }

    @Test func aClientCannotMoveWithinItsNetwork() {
        var bans = bans(2)
        _ = bans.noteFailure(from: .v6(high: 7, low: 1))
        _ = bans.noteFailure(from: .v6(high: 7, low: 2))
        #expect(holds(&bans, .v6(high: 7, low: 3)))
        #expect(!holds(&bans, .v6(high: 8, low: 1)))
        _ = bans.noteFailure(from: .v6(high: 0, low: 0xFFFF_C000_0201))
        _ = bans.noteFailure(from: address)
        #expect(holds(&bans, address))
    }

    @Test func aFloodOfAddressesNeitherGrowsTheTableNorLiftsABan() {
        var bans = bans(2)
        _ = bans.noteFailure(from: address)
        _ = bans.noteFailure(from: address)
        for number in 0..<40_000 as Range<UInt32> {
            _ = bans.noteFailure(from: .v4(number))
        }
        #expect(holds(&bans, address))
        #expect(bans.count <= 16_384)
    }
}
