import FTPProtocol
import LinuxSystem
import Testing

@testable import Isolation

@Suite("How many passive ports an address has")
struct PassivePortLedgerTests {
    private let page: SharedPage

    init() throws {
        page = try SharedPage(mapping: SharedPage.make())
    }

    /// A Warden as far as the ledger goes.
    private final class Holder {
        private var ledger: PassivePortLedger

        init(_ ledger: PassivePortLedger) {
            self.ledger = ledger
        }

        func take(for client: IPAddress) -> Bool { ledger.take(for: client) }
        func claim(for client: IPAddress) -> Bool { ledger.claim(for: client) }
        func judge(_ client: IPAddress) -> PassivePortLedger.Verdict { ledger.judge(client) }
        func giveUp() { ledger.giveUp() }
    }

    private func holder(_ process: CInt, maximum: Int = 1) -> Holder {
        Holder(PassivePortLedger(on: page, maximum: maximum, process: process, patience: .zero))
    }

    private var isEmpty: Bool { (0..<SharedPage.count).allSatisfy { page.load($0) == 0 } }

    @Test func noMoreThanTheMaximumAreOutForOneAddress() {
        let holders = (1...4).map { holder($0, maximum: 2) }
        #expect(holders[0].take(for: loopback(1)))
        #expect(holders[1].take(for: loopback(1)))
        #expect(!holders[2].take(for: loopback(1)))
        #expect(holders[3].take(for: loopback(2)), "others are not concerned")
        #expect(holders[0].take(for: loopback(1)), "whoever has one may have another instead")
        holders[0].giveUp()
        #expect(holders[2].take(for: loopback(1)))
        #expect(!holders[0].take(for: loopback(1)))
    }

    @Test func nothingIsLeftOfPortsThatAreClosedOrWereRefused() {
        let first = holder(1)
        let second = holder(2)
        #expect(first.take(for: loopback(1)))
        #expect(!second.take(for: loopback(1)))
        second.giveUp()
        #expect(!second.take(for: loopback(1)), "the first one's place was given up")
        first.giveUp()
        first.giveUp()
        #expect(isEmpty)
    }

    @Test func ofTwoThatRaceForTheLastPlaceOneGetsIt() {
        let first = holder(1)
        let second = holder(2)
        // Both have claimed before either has counted.
        #expect(first.claim(for: loopback(1)))
        #expect(second.claim(for: loopback(1)))
        #expect(first.judge(loopback(1)) == .contended, "the other one may have counted already")
        #expect(second.judge(loopback(1)) == .full)
        second.giveUp()
        #expect(!second.take(for: loopback(1)))
        #expect(first.judge(loopback(1)) == .admitted)
        #expect(!second.take(for: loopback(1)))
    }

    @Test func whoeverCountsBeforeTheOtherClaimsIsNotPushedOut() {
        let spare = holder(3)
        let first = holder(1)
        let second = holder(2)
        // The second one's place lies before that of the first.
        #expect(spare.claim(for: loopback(2)))
        #expect(first.claim(for: loopback(1)))
        spare.giveUp()
        #expect(first.judge(loopback(1)) == .admitted)
        #expect(second.claim(for: loopback(1)))
        #expect(second.judge(loopback(1)) == .full)
    }

    @Test func ofManyThatRaceAsManyAsThereArePlacesGetOne() {
        let holders = (1...9).map { holder($0, maximum: 3) }
        for holder in holders { #expect(holder.claim(for: loopback(1))) }
        var admitted = 0
        // In an order of their own, and those that wait look again.
        for index in [4, 8, 0, 6, 2, 7, 3, 5, 1, 4, 0, 2] {
            switch holders[index].judge(loopback(1)) {
            case .admitted: admitted += 1
            case .full: holders[index].giveUp()
            case .contended: continue
            }
        }
        #expect(admitted == 3)
    }

    @Test func whatAWardenLeavesBehindIsStruckOff() {
        let first = holder(4_194_303)
        let second = holder(2)
        #expect(first.take(for: loopback(1)))
        PassivePortLedger.forget(3, on: page)
        #expect(!second.take(for: loopback(1)))
        PassivePortLedger.forget(4_194_303, on: page)
        #expect(isEmpty)
        #expect(second.take(for: loopback(1)))
        // It is the second one's now.
        first.giveUp()
        #expect(!isEmpty)
    }

    @Test func aFullPageKeepsNobodyOutWhoHasTooFew() {
        for process in 1...CInt(SharedPage.count) {
            #expect(holder(process, maximum: 1_000).take(for: loopback(1)))
        }
        let stranger = holder(1_000)
        #expect(stranger.take(for: loopback(2)))
        let another = holder(1_001, maximum: SharedPage.count)
        #expect(!another.take(for: loopback(1)))
    }
}
