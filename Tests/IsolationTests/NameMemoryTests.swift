import FTPProtocol
import LinuxSystem
import Testing

@testable import Isolation

@Suite("The address of the announced name")
struct NameMemoryTests {
    /// What was new after each look-up, and what is announced in the end.
    private func follow(
        _ address: IPAddress?,
        _ lookups: [HostLookup]
    ) -> (news: [String?], address: IPAddress?) {
        var memory = NameMemory(address)
        let news = lookups.map { memory.take($0) }
        return (news, memory.address)
    }

    @Test func aPageTellsTheListenerHowTheLastLookWent() throws {
        let page = try SharedPage(mapping: SharedPage.make())
        #expect(page.announcedLookup == nil)
        page.put(nil, after: .unavailable)
        #expect(page.announcedLookup == .unavailable && page.announcedAddress == nil)
        page.put(loopback(1), after: .found([loopback(2), loopback(1)]))
        #expect(page.announcedLookup == .found([loopback(1)]))
        page.put(loopback(1), after: .noAddress)
        #expect(page.announcedLookup == .noAddress && page.announcedAddress == loopback(1))
    }

    @Test func theAddressThatIsAnnouncedStaysAsLongAsItIsAmongTheAnswers() {
        let same = follow(
            loopback(1),
            [
                .found([loopback(2), loopback(1)]), .found([loopback(1), loopback(2)]),
                .found([loopback(1)]),
            ]
        )
        #expect(same.news == [nil, nil, nil])
        #expect(same.address == loopback(1))
        let other = follow(
            loopback(1),
            [.found([loopback(3), loopback(2)]), .found([loopback(2), loopback(3)])]
        )
        #expect(other.news == ["is 127.0.0.3 now", nil])
        #expect(other.address == loopback(3))
    }

    @Test(arguments: [
        (HostLookup.noAddress, "has no address; the old one stays"),
        (.unavailable, "cannot be looked up; the old one stays"),
    ])
    func theOldOneStaysWhileThereIsNoOther(lookup: HostLookup, text: String) {
        let lost = follow(loopback(1), [lookup, lookup])
        #expect(lost.news == [text, nil], "said once")
        #expect(lost.address == loopback(1))
        let found: [HostLookup] = [.found([loopback(1)]), .found([loopback(2)])]
        let again = follow(loopback(1), [lookup, found[0], lookup, found[1]])
        #expect(again.news == [text, "is 127.0.0.1 again", text, "is 127.0.0.2 now"])
    }

    @Test func beforeTheFirstAnswerThereIsNone() {
        let none = follow(nil, [.unavailable, .unavailable])
        #expect(none.news == ["cannot be looked up so far", nil])
        #expect(none.address == nil)
        let first = follow(nil, [.unavailable, .found([loopback(1)])])
        #expect(first.news == ["cannot be looked up so far", "is 127.0.0.1 now"])
    }

    @Test func addressesThatNoHostHasAreNoAnswer() {
        let nobody: [IPAddress] = [0, 0xFFFF_FFFF, 0xE000_0001, 0xF000_0000].map { .v4($0) }
        for address in nobody { #expect(HostLookup([address]) == .noAddress) }
        #expect(HostLookup([]) == .noAddress)
        #expect(HostLookup(nobody + [loopback(1)]) == .found([loopback(1)]))
    }
}
