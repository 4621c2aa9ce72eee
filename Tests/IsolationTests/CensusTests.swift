import FTPProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import Isolation

@Suite("What the Listener counts")
struct CensusTests {
    /// A census with sessions 1, 2, …, each with its Warden's end.
    private final class Ground {
        var census: Census
        private var wardens: [CInt: Box] = [:]

        private final class Box {
            let channel: MessageSocket
            init(_ channel: consuming MessageSocket) { self.channel = channel }
        }

        init(
            _ count: CInt,
            sparedTime: Duration = .zero,
            settlingTime: Duration = .seconds(60)
        ) throws {
            census = try Census(sparedTime: sparedTime, settlingTime: settlingTime)
            for process in 0..<count { try add(process + 1, from: .v4(UInt32(process + 1))) }
        }

        func add(_ process: CInt, from address: IPAddress) throws {
            let pair = try MessageSocket.makePair()
            var copy: OwnedDescriptor?
            try pair.withSecond { (end) throws(SystemError) in copy = try end.duplicate() }
            let other = try present(copy.take())
            try census.add(process, pair.takeFirst(), identifier: "s\(process)", address: address)
            wardens[process] = Box(MessageSocket(owning: other))
        }

        func send(_ process: CInt, _ bytes: [UInt8]) throws {
            guard let warden = wardens[process] else { throw Missing() }
            try warden.channel.send(bytes)
        }

        @discardableResult
        func report(_ process: CInt, _ bytes: [UInt8]) throws -> CensusEvent? {
            guard let warden = wardens[process] else { throw Missing() }
            try warden.channel.send(bytes)
            return census.serve(process)
        }

        func answer(_ process: CInt, _ report: CensusReport) throws -> CensusAnswer {
            #expect(try self.report(process, report.encoded) == nil)
            guard let message = try wardens[process]?.channel.receive() else { throw Missing() }
            return try CensusAnswer(decoding: message.bytes)
        }

        func page(_ process: CInt, _ page: UserPage) throws -> SharedPage {
            #expect(try report(process, CensusReport.page(page).encoded) == nil)
            guard var message = try wardens[process]?.channel.receive() else { throw Missing() }
            #expect(try CensusAnswer(decoding: message.bytes) == .page)
            let descriptor = try present(message.takeDescriptor())
            return try SharedPage(mapping: descriptor)
        }
    }

    @Test func aUserHasNoMoreSessionsThanAllowed() throws {
        let ground = try Ground(4)
        #expect(try ground.answer(1, .login(user: "a", maximum: 2)) == .admitted)
        #expect(try ground.answer(2, .login(user: "a", maximum: 2)) == .admitted)
        #expect(try ground.answer(3, .login(user: "a", maximum: 2)) == .full)
        #expect(try ground.answer(4, .login(user: "b", maximum: 2)) == .admitted)
        try ground.report(1, CensusReport.logout.encoded)
        #expect(try ground.answer(3, .login(user: "a", maximum: 2)) == .admitted)
        ground.census.remove(2)
        #expect(try ground.answer(4, .login(user: "a", maximum: 2)) == .admitted)
        #expect(try ground.answer(1, .login(user: "a", maximum: 2)) == .full)
        #expect(try ground.answer(1, .login(user: "a", maximum: 0)) == .admitted)
    }

    @Test func aUserIsToldOfTheOwnSessionsWhereTheyAre() throws {
        let ground = try Ground(1)
        let (near, far) = (IPAddress.v4(1), IPAddress.v4(9))
        try ground.add(2, from: near)
        try ground.add(3, from: far)
        #expect(try ground.answer(1, .login(user: "a", maximum: 1)) == .admitted)
        #expect(try ground.answer(2, .login(user: "a", maximum: 1)) == .fullNearby)
        #expect(try ground.answer(3, .login(user: "a", maximum: 1)) == .full)
        // Another user's session there is none of this one's.
        #expect(try ground.answer(3, .login(user: "b", maximum: 1)) == .admitted)
        #expect(try ground.answer(3, .login(user: "a", maximum: 1)) == .full)
    }

    @Test func administratorsEndWhomTheyMean() throws {
        let ground = try Ground(4)
        for process in [1, 2] as [CInt] {
            #expect(try ground.answer(process, .login(user: "1:a", maximum: 0)) == .admitted)
        }
        #expect(ground.census.kick(.user("1:a")) == [])
        #expect(ground.census.kick(.user("a")) == ["s1", "s2"])
        // Once is enough.
        #expect(ground.census.kick(.session("s1")) == [])
        #expect(ground.census.pendingCount == 2 && ground.census.leavingCount == 0)
        #expect(ground.census.kick(.network(try present(IPNetwork("0.0.0.3/32")))) == ["s3"])
        #expect(ground.census.pendingCount == 1 && ground.census.leavingCount == 1)
        // What a Warden says last still arrives, so that nothing is closed twice.
        try ground.report(1, CensusReport.systemSession(user: "a").encoded)
        #expect(ground.census.leftSession(of: 1) != nil)
        try ground.report(1, CensusReport.systemSessionClosed.encoded)
        #expect(ground.census.leftSession(of: 1) == nil)
        for process in 1...4 as ClosedRange<CInt> { ground.census.remove(process) }
        #expect(ground.census.pendingCount == 0 && ground.census.leavingCount == 0)
    }

    @Test func aSessionThatIsOverGivesItsChannelBackForAnother() throws {
        let ground = try Ground(3)
        let free = CensusReport.free.encoded
        #expect(try ground.report(1, free) == .free(1))
        let released = ground.census.release(1)
        let channel = try present(released)
        #expect(ground.census.pendingCount == 2 && ground.census.reporterCount == 2)
        try ground.census.add(1, channel, identifier: "again", address: loopback())
        #expect(try ground.report(1, CensusReport.attempt(user: "a").encoded) != nil)
        #expect(ground.census.sessions(after: 0).map(\.identifier) == ["again", "s2", "s3"])
        // Told to go: nothing more is to come over its channel.
        #expect(ground.census.kick(.session("s2")) == ["s2"])
        #expect(try ground.report(2, free) == .free(2))
        let isReleased = ground.census.release(2) != nil
        #expect(!isReleased)
        #expect(ground.census.leavingCount == 0)
    }

    @Test func whoeverHasTriedALoginIsNotFree() throws {
        let ground = try Ground(3)
        let violation = { CensusEvent.violation($0, .outOfTurn) }
        let free = CensusReport.free.encoded
        try ground.report(1, CensusReport.attempt(user: "a").encoded)
        #expect(try ground.report(1, free) == violation(1))
        #expect(try ground.answer(2, .login(user: "1:a", maximum: 0)) == .admitted)
        #expect(try ground.report(2, free) == violation(2))
        try ground.report(3, CensusReport.systemSession(user: "a").encoded)
        #expect(try ground.report(3, free) == violation(3))
    }

    @Test func administratorsSeeSessionsInTheOrderOfTheirProcesses() throws {
        let ground = try Ground(3)
        #expect(try ground.answer(2, .login(user: "4:anonymous", maximum: 0)) == .admitted)
        let shown = ground.census.sessions(after: 1)
        #expect(shown.map(\.process) == [2, 3])
        #expect(shown.map(\.user) == ["anonymous", nil])
        #expect(shown.allSatisfy { $0.connected > 0 && !$0.isLeaving && $0.claim == nil })
        var status = ServerStatus()
        ground.census.count(in: &status)
        #expect(status.loggedIn == 1 && status.beforeLogin == 2 && status.leaving == 0)
    }

    @Test func aProxyNamesTheClientWhoseAddressCountsFromThenOn() throws {
        let ground = try Ground(1)
        let client = IPAddress.v4(0xC000_0201)
        #expect(
            try ground.report(1, CensusReport.client(client).encoded) == .client(1, client)
        )
        #expect(
            try ground.report(1, CensusReport.loginRefused(isFailedProof: true).encoded)
                == .refusedLogin(1, client, user: "", isFailedProof: true)
        )
    }

    @Test func whoeverLogsInTwiceIsCountedOnce() throws {
        let ground = try Ground(2)
        for _ in 0..<3 {
            #expect(try ground.answer(1, .login(user: "a", maximum: 2)) == .admitted)
        }
        #expect(try ground.answer(2, .login(user: "a", maximum: 2)) == .admitted)
    }

    @Test func theSessionsOfAUserShareTheirPagesAndNobodyElse() throws {
        let ground = try Ground(3)
        _ = try ground.answer(1, .login(user: "a", maximum: 0))
        _ = try ground.answer(2, .login(user: "a", maximum: 0))
        _ = try ground.answer(3, .login(user: "b", maximum: 0))
        let first = try ground.page(1, .quota)
        let second = try ground.page(2, .quota)
        #expect(first.add(5, to: 7) == 5)
        #expect(second.load(7) == 5)
        #expect(second.exchange(5, for: 9, at: 7))
        #expect(!second.exchange(5, for: 1, at: 7))
        #expect(first.load(7) == 9)
        #expect(try ground.page(1, .userRate).load(7) == 0)
        #expect(try ground.page(3, .quota).load(7) == 0)
        try ground.page(1, .serverRate).add(9, to: 7)
        #expect(try ground.page(3, .serverRate).load(7) == 9)
    }

    @Test func aPageGoesWithTheLastSession() throws {
        let ground = try Ground(1)
        _ = try ground.answer(1, .login(user: "a", maximum: 0))
        try ground.page(1, .quota).add(1, to: 0)
        try ground.report(1, CensusReport.logout.encoded)
        #expect(try ground.answer(1, .page(.quota)) == .noPage)
        _ = try ground.answer(1, .login(user: "a", maximum: 0))
        #expect(try ground.page(1, .quota).load(0) == 0)
    }

    @Test func whatAKilledProcessLeavesOpenIsKnown() throws {
        let ground = try Ground(4)
        try ground.report(1, CensusReport.systemSession(user: "a").encoded)
        try ground.report(2, CensusReport.systemSession(user: "b").encoded)
        try ground.report(2, CensusReport.systemSessionClosed.encoded)
        // Sent, and not received before the process ended.
        try ground.send(3, CensusReport.loginRefused(isFailedProof: true).encoded)
        try ground.send(3, CensusReport.systemSession(user: "c").encoded)
        let left = (1...5).map { ground.census.leftSession(of: $0) }
        #expect(
            left == [
                LeftSession(user: "a", address: .v4(1)), nil,
                LeftSession(user: "c", address: .v4(3)), nil, nil,
            ]
        )
    }

    @Test func aUserLearnsOfTheOwnSessionsAlone() throws {
        let ground = try Ground(3)
        _ = try ground.answer(1, .login(user: "a", maximum: 0))
        _ = try ground.answer(2, .login(user: "b", maximum: 0))
        guard case .sessions(let entries) = try ground.answer(1, .sessions) else { throw Missing() }
        #expect(entries.map(\.identifier) == ["s1"])
        #expect(entries.map(\.address) == [.v4(1)])
        #expect(try ground.answer(3, .sessions) == .sessions([]))
    }

    @Test func aFailedLoginIsTheListenersToCount() throws {
        let ground = try Ground(1)
        let attempt = CensusReport.attempt(user: "a")
        #expect(try ground.report(1, attempt.encoded) == .attempt(1, .v4(1), user: "a"))
        #expect(
            try ground.report(1, CensusReport.loginRefused(isFailedProof: false).encoded)
                == .refusedLogin(1, .v4(1), user: "a", isFailedProof: false)
        )
    }

    @Test func nobodyMakesRoomWhoHasJustCome() throws {
        let ground = try Ground(3)
        #expect(ground.census.dismissOne(for: .v4(9)) == nil)
        #expect(ground.census.pendingCount == 3)
    }

    @Test func aNetworkWithManyMakesRoomForOneWithFewEarlier() throws {
        let ground = try Ground(0)
        let (one, other) = (IPAddress.v4(1), IPAddress.v4(2))
        for (process, address) in [(1, one), (2, other), (3, one), (4, one), (5, one), (6, other)] {
            try ground.add(CInt(process), from: address)
        }
        #expect(ground.census.dismissOne(for: one) == nil)
        #expect(ground.census.dismissOne(for: other) == nil)
        #expect(ground.census.dismissOne(for: .v4(9))?.identifier == "s1")
        #expect(ground.census.dismissOne(for: .v4(9))?.identifier == "s3")
        // Two of one network are no more than it and the newcomer have together.
        #expect(ground.census.dismissOne(for: .v4(9)) == nil)
    }

    @Test func whoHasJustComeIsSparedAsLongAsTheOthersHaveNoLess() throws {
        let ground = try Ground(9, sparedTime: .seconds(60))
        for process in 10...18 { try ground.add(CInt(process), from: .v4(UInt32(process - 9))) }
        #expect(ground.census.dismissOne(for: .v4(99)) == nil)
        #expect(ground.census.dismissOne(for: .v4(1)) == nil)
    }

    @Test func whatAnAddressHasBeyondItsShareIsNotSpared() throws {
        let ground = try Ground(0, sparedTime: .seconds(60))
        for process in 1...9 { try ground.add(CInt(process), from: .v4(1)) }
        for process in 10...18 { try ground.add(CInt(process), from: .v4(2)) }
        // Those go that came last, and nobody for one of their own.
        #expect(ground.census.dismissOne(for: .v4(1)) == nil)
        let gone = (0..<4).compactMap { _ in ground.census.dismissOne(for: .v4(9))?.identifier }
        #expect(Set(gone) == ["s9", "s18", "s8", "s17"])
        // The newcomers have come, and have no more than the others each.
        for process in 19...22 { try ground.add(CInt(process), from: .v4(9)) }
        #expect(ground.census.dismissOne(for: .v4(1)) == nil)
        #expect(ground.census.dismissOne(for: .v4(10)) != nil)
    }

    @Test func whoHasItsShareReplacesNobodyElsewhere() throws {
        let ground = try Ground(0, settlingTime: .zero)
        for process in 1...4 { try ground.add(CInt(process), from: .v4(1)) }
        for process in 5...6 { try ground.add(CInt(process), from: .v4(2)) }
        #expect(ground.census.dismissOne(for: .v4(1))?.identifier == "s1")
        #expect(ground.census.dismissOne(for: .v4(1))?.identifier == "s2")
        #expect(ground.census.dismissOne(for: .v4(2))?.identifier == "s5")
    }

    @Test func theNetworksOfOneSiteShareWhatItMayHave() throws {
        let ground = try Ground(0, sparedTime: .seconds(60))
        let site: UInt64 = 0x2001_0DB8_0001_0000
        for process in 1...6 {
            try ground.add(CInt(process), from: .v6(high: site | UInt64(process), low: 1))
        }
        for process in 7...9 { try ground.add(CInt(process), from: .v6(high: site | 1, low: 1)) }
        try ground.add(10, from: .v4(1))
        // The network with most of the site gives first, for others of the site as well.
        #expect(ground.census.dismissOne(for: .v4(9))?.identifier == "s9")
        #expect(ground.census.dismissOne(for: .v6(high: site | 99, low: 1))?.identifier == "s8")
        #expect(ground.census.dismissOne(for: .v6(high: site | 1, low: 1)) == nil)
    }

    @Test func whoIsAskedForMoreMayHaveToGo() throws {
        let ground = try Ground(1, settlingTime: .zero)
        try ground.report(1, CensusReport.attempt(user: "a").encoded)
        #expect(ground.census.dismissOne(for: .v4(9)) == nil)
        try ground.report(1, CensusReport.waiting.encoded)
        #expect(ground.census.pendingCount == 1)
        try ground.report(1, CensusReport.attempt(user: "a").encoded)
        #expect(ground.census.dismissOne(for: .v4(9)) == nil)
        try ground.report(1, CensusReport.waiting.encoded)
        #expect(ground.census.dismissOne(for: .v4(9))?.identifier == "s1")
    }

    @Test func whoIsLoggedInIsNotPending() throws {
        let ground = try Ground(3)
        _ = try ground.answer(1, .login(user: "a", maximum: 0))
        _ = try ground.answer(1, .login(user: "b", maximum: 0))
        #expect(ground.census.pendingCount == 2)
        try ground.report(1, CensusReport.logout.encoded)
        #expect(ground.census.pendingCount == 3)
        _ = try ground.answer(2, .login(user: "a", maximum: 0))
        ground.census.remove(2)
        ground.census.remove(3)
        #expect(ground.census.pendingCount == 1)
    }

    @Test func theOldestOfTheNetworkWithMostMakesRoom() throws {
        let ground = try Ground(0, settlingTime: .zero)
        let (one, other) = (IPAddress.v4(1), IPAddress.v4(2))
        for (process, address) in [(1, other), (2, one), (3, one), (4, one), (5, one)] {
            try ground.add(CInt(process), from: address)
        }
        _ = try ground.answer(2, .login(user: "a", maximum: 0))
        try ground.report(3, CensusReport.attempt(user: "a").encoded)
        // One is logged in, and of one the login is being checked.
        #expect(ground.census.dismissOne(for: .v4(9))?.identifier == "s4")
        #expect(ground.census.pendingCount == 3)
        #expect(ground.census.leavingCount == 1)
        #expect(ground.census.dismissOne(for: .v4(9))?.identifier == "s5")
        #expect(ground.census.dismissOne(for: .v4(9))?.identifier == "s1")
        #expect(ground.census.dismissOne(for: .v4(9)) == nil)
        try ground.report(3, CensusReport.logout.encoded)
        #expect(ground.census.dismissOne(for: .v4(9))?.identifier == "s3")
        for process in 1...5 { ground.census.remove(CInt(process)) }
        #expect(ground.census.leavingCount == 0 && ground.census.pendingCount == 0)
    }

    @Test(
        arguments: [[0], [99], [1], [1, 2], [1, 1, 1], [2], [4, 9], [2, 255, 255, 255, 255]]
            as [[UInt8]]
    )
    func nonsenseIsAViolation(message: [UInt8]) throws {
        let ground = try Ground(1)
        guard case .violation(1, _) = try ground.report(1, message) else {
            Issue.record("accepted")
            return
        }
    }
}
