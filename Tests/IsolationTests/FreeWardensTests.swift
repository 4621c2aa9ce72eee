import FTPProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import Isolation

@Suite("Wardens that wait for another session")
struct FreeWardensTests {
    /// The end of a Warden, since arrays hold no value with a single owner.
    private final class Box {
        let channel: MessageSocket
        init(_ channel: consuming MessageSocket) { self.channel = channel }

        /// Whether the Listener has said that there will be no more.
        func isOver() throws -> Bool {
            var entries = [PollEntry(channel.descriptor.number, reading: true)]
            _ = try poll(&entries, until: .passed)
            return entries[0].hasHungUp
        }
    }

    private final class Ground {
        var wardens = FreeWardens()

        func place(_ connection: borrowing WardenConnection) -> CInt? {
            wardens.place(connection)?.number
        }

        func remove(_ process: CInt) -> Bool { wardens.remove(process) }

        func add(_ process: CInt, isNew: Bool = true) throws -> Box {
            let pair = try MessageSocket.makePair()
            if isNew { wardens.noteStart(process) }
            return pair.split {
                wardens.add(WardenProcess(process, $0))
                return Box($1)
            }
        }
    }

    private static func connection(
        _ kind: ControlPort.Kind = .explicitTLS,
        signer: consuming MessageSocket? = nil,
        trail: consuming MessageSocket? = nil,
        page: PageBox? = nil
    ) throws -> WardenConnection {
        WardenConnection(
            control: try MessageSocket.makePair().takeFirst().takeDescriptor(),
            peer: SocketAddress(.v6(high: 0xFE80 << 48, low: 1), port: 4_711, scope: 3),
            kind: kind,
            identifier: "abcdefgh",
            isQuiet: true,
            isAudited: false,
            signer: signer,
            trail: trail,
            page: page
        )
    }

    @Test func theLastToComeIsAskedFirst() throws {
        let ground = Ground()
        let ends = try [1, 2].map { try ground.add($0) }
        let connection = try Self.connection()
        let first = ground.place(connection)
        #expect(first == 2)
        let next = try CensusClient(MessageSocket(owning: ends[1].channel.descriptor.duplicate()))
            .nextConnection()
        let received = try present(next)
        let (peer, identifier) = (received.peer, received.identifier)
        let sent = connection.peer
        #expect(peer == sent && identifier == "abcdefgh")
        let (isQuiet, isAudited) = (received.isQuiet, received.isAudited)
        #expect(isQuiet && !isAudited)
        let count = received.descriptorNumbers.count
        #expect(count == 1)
        let others = [ground.place(connection), ground.place(connection)]
        #expect(others == [1, nil])
    }

    @Test(arguments: [ControlPort.Kind.explicitTLS, .implicitTLS, .plain])
    func whatGoesWithAConnectionArrivesWithIt(kind: ControlPort.Kind) throws {
        let ground = Ground()
        let end = try ground.add(1)
        let signer = try Ends.make()
        let trail = try Ends.make()
        let connection = try Self.connection(
            kind,
            signer: MessageSocket(owning: signer.near.descriptor.duplicate()),
            trail: MessageSocket(owning: trail.near.descriptor.duplicate()),
            page: PageBox(try SharedPage.make())
        )
        let process = ground.place(connection)
        #expect(process == 1)
        let census = CensusClient(
            MessageSocket(owning: try end.channel.descriptor.duplicate())
        )
        let next = try census.nextConnection()
        var received = try present(next)
        let receivedKind = received.kind
        #expect(receivedKind == kind)
        let toSigner = try present(received.signer.take())
        try toSigner.send([1])
        let asked = try signer.far.receive()
        #expect(try present(asked).bytes == [1])
        let toTrail = try present(received.trail.take())
        try toTrail.send([2])
        let recorded = try trail.far.receive()
        #expect(try present(recorded).bytes == [2])
        let page = try SharedPage(mapping: try present(received.page).descriptor)
        #expect(page.load(0) == 0)
    }

    @Test func aMessageThatSaysOtherThanWhatComesWithItIsNone() throws {
        let ends = try Ends.make()
        let connection = try Self.connection()
        var message = connection.encoded
        // Says that a page comes, too.
        message[message.count - 1] = 1
        try ends.near.sendNow(message, withAll: connection.descriptorNumbers)
        guard let (bytes, passed) = try ends.far.receiveDescriptors() else { throw Missing() }
        let error = thrown(MessageError.self) { _ = try WardenConnection(decoding: bytes, passed) }
        #expect(error == .wrongDescriptor)
        for count in 0..<bytes.count {
            let none = PassedDescriptors(owning: [])
            let error = thrown(MessageError.self) {
                _ = try WardenConnection(decoding: [UInt8](bytes.prefix(count)), none)
            }
            #expect(error != nil)
        }
    }

    @Test func fewWaitAndTheRestEnd() throws {
        let ground = Ground()
        let ends = try (1...10).map { try ground.add(CInt($0)) }
        let count = try ends.filter { try !$0.isOver() }.count
        #expect(count == 8)
        // Those that are to end are still children.
        #expect(Set(ground.wardens.processes) == Set(1...10))
    }

    @Test func nobodyWaitsThatWasForkedBeforeAChange() throws {
        let ground = Ground()
        let waiting = try ground.add(1)
        ground.wardens.noteStart(2)
        ground.wardens.retire()
        let late = try ground.add(2, isNew: false)
        let new = try ground.add(3)
        let areOver = try [waiting, late, new].map { try $0.isOver() }
        #expect(areOver == [true, true, false])
        #expect(ground.remove(1) && ground.remove(2) && !ground.wardens.isEmpty)
        #expect(ground.remove(3) && ground.wardens.isEmpty)
        #expect(!ground.remove(3))
    }

    @Test func oneThatHasEndedIsPassedOver() throws {
        let ground = Ground()
        let first = try ground.add(1)
        do { _ = try ground.add(2) }
        let process = ground.place(try Self.connection())
        #expect(process == 1)
        #expect(ground.wardens.processes == [2])
        withExtendedLifetime(first) {}
    }

    @Test func nobodyWaitsForLong() throws {
        let ground = Ground()
        let end = try ground.add(1)
        #expect(ground.wardens.next != .never)
        var entries: [PollEntry] = []
        while !ground.wardens.next.hasPassed { _ = try poll(&entries, until: ground.wardens.next) }
        ground.wardens.endLate()
        let isOver = try end.isOver()
        #expect(isOver && ground.wardens.next == .never)
    }
}
