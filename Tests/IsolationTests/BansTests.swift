import FTPProtocol
import Testing

@testable import Isolation

@Suite("Bans and lock-outs after failed logins")
struct BansTests {
    private func bans(_ failures: Int, time: Duration = .seconds(600)) -> Bans<IPAddress> {
        var settings = BanSettings()
        settings.failures = failures
        settings.time = time
        return Bans<IPAddress>(settings)
    }

    private func fails(_ bans: inout Bans<IPAddress>, _ address: IPAddress) -> Bool {
        bans.noteFailure(from: address)
    }

    private func holds(_ bans: inout Bans<IPAddress>, _ address: IPAddress) -> Bool {
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
        var bans = Bans<IPAddress>(settings)
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

    @Test func usersAreOffUnlessWished() {
        var locks = Bans<String>(.users)
        for _ in 0..<1_000 { _ = locks.noteFailure(of: "ann") }
        let isLocked = locks.holds("ann")
        #expect(!isLocked)
    }

    @Test func spellingsOfAUserCountTogether() {
        var settings = BanSettings.users
        settings.failures = 3
        var locks = Bans<String>(settings)
        let outcomes = ["Ann", "ann", "ANN"].map { locks.noteFailure(of: $0) }
        #expect(outcomes == [false, false, true])
        let isLocked = locks.holds("aNN")
        let isOtherLocked = locks.holds("anne")
        #expect(isLocked && !isOtherLocked)
    }

    @Test func aNetworkIsLiftedAsAWholeAndAnAddressAlone() throws {
        var bans = bans(1)
        for last in 1...3 as ClosedRange<UInt32> {
            _ = bans.noteFailure(from: .v4(0xC000_0200 + last))
        }
        _ = bans.noteFailure(from: .v6(high: 7, low: 1))
        let one = bans.lift(try #require(IPNetwork("192.0.2.1/32")))
        let rest = bans.lift(try #require(IPNetwork("192.0.2.0/24")))
        let isHeld = bans.holds(.v6(high: 7, low: 9))
        let ofNetwork = bans.lift(try #require(IPNetwork("0:0:0:7::5")))
        #expect([one, rest, ofNetwork] == [1, 2, 1] && isHeld)
        #expect(bans.count == 0)
    }

    @Test func whatDidNotLeadToABanIsForgottenUncounted() {
        var settings = BanSettings.users
        settings.failures = 2
        var locks = Bans<String>(settings)
        _ = locks.noteFailure(of: "ann")
        let lifted = locks.lift("ANN")
        let leads = locks.noteFailure(of: "ann")
        #expect(lifted == 0 && !leads)
    }
}
