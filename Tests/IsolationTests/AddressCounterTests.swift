import FTPProtocol
import Testing

@testable import Isolation

@Suite("Limits on sessions, in all and per address")
struct AddressCounterTests {
    @Test func zeroMeansNoLimit() {
        var counter = AddressCounter(maximum: 0, maximumPerAddress: 0)
        for process in 1...5_000 as ClosedRange<CInt> {
            #expect(counter.refusal(of: loopback()) == nil)
            counter.add(process, from: loopback())
        }
        #expect(counter.processes.count == 5_000)
    }

    @Test func noMoreThanTheMaximumGoOnAtOnce() {
        var counter = AddressCounter(maximum: 2, maximumPerAddress: 0)
        counter.add(10, from: loopback(1))
        #expect(counter.refusal(of: loopback(2)) == nil)
        counter.add(11, from: loopback(2))
        #expect(counter.refusal(of: loopback(3)) == .tooManyClients)
        counter.remove(10)
        #expect(counter.refusal(of: loopback(3)) == nil)
    }

    @Test func eachAddressHasItsOwnLimit() {
        var counter = AddressCounter(maximum: 0, maximumPerAddress: 2)
        counter.add(10, from: loopback(1))
        counter.add(11, from: loopback(1))
        counter.add(12, from: loopback(2))
        #expect(counter.refusal(of: loopback(1)) == .tooManyFromAddress)
        #expect(counter.refusal(of: loopback(2)) == nil)
        #expect(counter.refusal(of: .v6(high: 0, low: 1)) == nil)
        counter.remove(12)
        #expect(counter.refusal(of: loopback(1)) == .tooManyFromAddress)
        counter.remove(11)
        #expect(counter.refusal(of: loopback(1)) == nil)
    }

    @Test func theLimitInAllComesFirst() {
        var counter = AddressCounter(maximum: 1, maximumPerAddress: 1)
        counter.add(10, from: loopback())
        #expect(counter.refusal(of: loopback()) == .tooManyClients)
    }

    @Test func aClientBehindAProxyIsCountedWhenItIsKnown() {
        var counter = AddressCounter(maximum: 2, maximumPerAddress: 1)
        counter.addUnnamed(10)
        counter.addUnnamed(11)
        counter.addUnnamed(12)
        #expect(counter.refusal(of: loopback()) == nil)
        counter.add(10, from: loopback())
        #expect(counter.refusal(of: loopback()) == .tooManyFromAddress)
        #expect(counter.refusal(of: .v6(high: 1, low: 1)) == nil)
        counter.add(11, from: .v6(high: 1, low: 1))
        #expect(counter.refusal(of: .v6(high: 2, low: 1)) == .tooManyClients)
        #expect(counter.processes.sorted() == [10, 11, 12])
        counter.remove(11)
        #expect(counter.refusal(of: .v6(high: 2, low: 1)) == nil)
        counter.remove(10)
        #expect(counter.refusal(of: loopback()) == nil && !counter.isEmpty)
        counter.remove(12)
        #expect(counter.isEmpty)
    }

    @Test func connectionsWithoutAClientHaveABoundOfTheirOwn() {
        var counter = AddressCounter(maximum: 2, maximumPerAddress: 0)
        counter.add(1, from: loopback())
        counter.add(2, from: loopback())
        for process in 3..<CInt(3 + AddressCounter.reserve) {
            #expect(counter.refusalOfUnnamed() == nil)
            counter.addUnnamed(process)
        }
        #expect(counter.refusalOfUnnamed() == .tooManyUnnamed)
        counter.remove(1)
        #expect(counter.refusalOfUnnamed() == nil)
        // Without a limit on clients there is none on those who may become clients.
        var unlimited = AddressCounter(maximum: 0, maximumPerAddress: 0)
        for process in 1...5_000 as ClosedRange<CInt> { unlimited.addUnnamed(process) }
        #expect(unlimited.refusalOfUnnamed() == nil)
    }

    @Test func aProcessIsForgottenOnce() {
        var counter = AddressCounter(maximum: 0, maximumPerAddress: 2)
        counter.add(10, from: loopback())
        counter.add(11, from: loopback())
        counter.remove(10)
        counter.remove(10)
        counter.remove(99)
        // One is left, so one more fits and not two.
        #expect(counter.processes == [11])
        counter.add(12, from: loopback())
        #expect(counter.refusal(of: loopback()) == .tooManyFromAddress)
        counter.remove(11)
        counter.remove(12)
        #expect(counter.isEmpty)
        #expect(counter.refusal(of: loopback()) == nil)
    }

    @Test(arguments: ClientRefusal.allCases)
    func whoIsTurnedAwayIsTold421(refusal: ClientRefusal) {
        let text = String(decoding: refusal.reply.encoded, as: UTF8.self)
        #expect(text.hasPrefix("421 ") && text.hasSuffix("\r\n"))
        #expect(!refusal.logText.isEmpty)
        // What the administrator set is nobody else's business.
        #expect(!text.contains(refusal.logText))
    }
}
