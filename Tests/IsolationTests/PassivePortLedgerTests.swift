import LinuxSystem
import Testing

@testable import Isolation

@Suite("How many passive ports an address holds")
struct PassivePortLedgerTests {
    private let page: SharedPage

    init() throws {
        page = try SharedPage(mapping: SharedPage.make())
    }

    @Test func noMoreThanTheMaximumAreOutForOneAddress() {
        let ledger = PassivePortLedger(on: page, maximum: 2)
        for port in [7, 8] as [UInt16] {
            #expect(ledger.admits(loopback(1)) { _ in false })
            ledger.note(port, for: loopback(1)) { _ in false }
        }
        #expect(!ledger.admits(loopback(1)) { _ in false })
        #expect(ledger.admits(loopback(2)) { _ in false })
        // The same client by another way.
        #expect(!PassivePortLedger(on: page, maximum: 2).admits(loopback(1)) { _ in false })
        #expect(ledger.admits(loopback(1)) { $0 == 7 })
        #expect(ledger.admits(loopback(1)) { _ in false }, "what was free is forgotten")
    }

    @Test func aFullPageMakesRoomByWhatIsOutOfDate() {
        let ledger = PassivePortLedger(on: page, maximum: 1)
        for port in 1...UInt16(SharedPage.count) {
            ledger.note(port, for: loopback(1)) { _ in false }
        }
        ledger.note(9_000, for: loopback(2)) { _ in false }
        #expect(ledger.admits(loopback(2)) { _ in false }, "there was no room")
        ledger.note(9_000, for: loopback(2)) { $0 == 5 }
        #expect(!ledger.admits(loopback(2)) { _ in false })
    }
}
