import FTPProtocol
import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@Suite("TCP sockets on loopback")
struct SocketTests {
    private static let loopback4 = IPAddress.v4(0x7F00_0001)
    private static let loopback6 = IPAddress.v6(high: 0, low: 1)
    private static let any6 = IPAddress.v6(high: 0, low: 0)

    /// Whether this machine has `::1`.
    private static let hasIPv6: Bool = {
        let listener = try? OwnedDescriptor.listening(
            on: SocketAddress(loopback6, port: 0),
            backlog: 1
        )
        return listener != nil
    }()

    /// Both ends of a connection; the near one was started, the far one accepted.
    private struct Connection: ~Copyable {
        let nearAddress: SocketAddress
        let near: OwnedDescriptor
        let peer: SocketAddress
        let far: OwnedDescriptor

        static func make(
            from local: IPAddress,
            to remote: IPAddress,
            listeningOn address: IPAddress? = nil
        ) throws -> Connection {
            let listener = try OwnedDescriptor.listening(
                on: SocketAddress(address ?? remote, port: 0),
                backlog: 1,
                isDualStack: address != nil
            )
            let port = try listener.localAddress().port
            let none = try listener.accept() == nil
            #expect(none)
            let near = try OwnedDescriptor.connecting(
                to: SocketAddress(remote, port: port),
                from: SocketAddress(local, port: 0)
            )
            try #require(try becomesReadable(listener))
            try #require(try becomesWritable(near))
            #expect(near.connectionError() == nil)
            let accepted = try listener.accept()
            let connection = try present(accepted)
            return Connection(
                nearAddress: try near.localAddress(),
                near: near,
                peer: connection.peer,
                far: connection.takeDescriptor()
            )
        }
    }

    private func send(_ bytes: [UInt8], over socket: borrowing OwnedDescriptor) throws {
        let number = socket.number
        var left = bytes[...]
        while !left.isEmpty {
            let piece = [UInt8](left)
            let outcome = try unsafe piece.withUnsafeBytes { buffer in
                // A copy, because a closure cannot borrow the socket.
                try unsafe duplicate(number).send(buffer)
            }
            guard case .bytes(let count) = outcome else {
                try #require(outcome == .wantsWrite)
                try #require(try becomesWritable(socket))
                continue
            }
            left = left.dropFirst(count)
        }
    }

    private func receive(from socket: borrowing OwnedDescriptor) throws -> (ReadOutcome, [UInt8]) {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let number = socket.number
        let outcome = try unsafe bytes.withUnsafeMutableBytes { buffer in
            try unsafe duplicate(number).receive(into: buffer)
        }
        guard case .bytes(let count) = outcome else { return (outcome, []) }
        return (outcome, [UInt8](bytes.prefix(count)))
    }

    private func duplicate(_ number: CInt) throws -> OwnedDescriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
        try #require(copy >= 0)
        return OwnedDescriptor(owning: copy)
    }

    @Test func anIPv4AddressSurvivesTheKernel() throws {
        let address = SocketAddress(.v4(0x7F01_0203), port: 0)
        let listener = try OwnedDescriptor.listening(on: address, backlog: 1)
        let local = try listener.localAddress()
        #expect(local.address == .v4(0x7F01_0203))
        #expect(local.port != 0)
        #expect(local.description == "127.1.2.3:\(local.port)")
    }

    @Test(.enabled(if: hasIPv6, "needs ::1"))
    func anIPv6AddressSurvivesTheKernel() throws {
        let listener = try OwnedDescriptor.listening(
            on: SocketAddress(Self.loopback6, port: 0),
            backlog: 1
        )
        let local = try listener.localAddress()
        #expect(local.address == Self.loopback6)
        #expect(local.description == "[::1]:\(local.port)")
    }

    @Test func aLinkLocalAddressIsShownWithItsInterface() {
        let address = SocketAddress(.v6(high: 0xFE80 << 48, low: 1), port: 21, scope: 2)
        #expect(address.description == "[fe80::1%2]:21")
    }

    @Test func onlyInterfacesThatThereAreHaveANumber() {
        #expect(interfaceNumber(named: "lo") ?? 0 > 0)
        #expect(interfaceNumber(named: "no-such-one") == nil)
        #expect(interfaceNumber(named: "") == nil)
    }

    @Test func aMappedAddressBecomesIPv4() {
        let mapped = IPAddress.v6(high: 0, low: 0xFFFF_7F00_0001)
        let address = SocketAddress(mapped, port: 21)
        #expect(address.address == Self.loopback4)
        #expect(address.description == "127.0.0.1:21")
    }

    @Test(.enabled(if: hasIPv6, "needs ::1"))
    func anIPv4PeerOfADualStackListenerIsShownAsIPv4() throws {
        let connection = try Connection.make(
            from: Self.loopback4,
            to: Self.loopback4,
            listeningOn: Self.any6
        )
        #expect(connection.peer == connection.nearAddress)
        #expect(connection.peer.address == Self.loopback4)
        #expect(try connection.far.localAddress().address == Self.loopback4)
    }

    @Test(.enabled(if: hasIPv6, "needs ::1"))
    func anIPv6ListenerAloneTakesNoIPv4() throws {
        let listener = try OwnedDescriptor.listening(
            on: SocketAddress(Self.any6, port: 0),
            backlog: 1
        )
        let port = try listener.localAddress().port
        let socket = try OwnedDescriptor.connecting(
            to: SocketAddress(Self.loopback4, port: port),
            from: SocketAddress(Self.loopback4, port: 0)
        )
        #expect(try becomesWritable(socket))
        #expect(socket.connectionError()?.errno == .connectionRefused)
    }

    @Test func bytesPassBothWaysUntilOneSideEnds() throws {
        let connection = try Connection.make(from: Self.loopback4, to: Self.loopback4)
        #expect(connection.peer == connection.nearAddress)
        var outcome = try receive(from: connection.far)
        #expect(outcome.0 == .wantsRead)
        try send([1, 2, 3], over: connection.near)
        #expect(try becomesReadable(connection.far))
        outcome = try receive(from: connection.far)
        #expect(outcome.0 == .bytes(3) && outcome.1 == [1, 2, 3])
        connection.near.endWriting()
        #expect(try becomesReadable(connection.far))
        // A FIN can be forged by anybody on the path.
        outcome = try receive(from: connection.far)
        #expect(outcome.0 == .ended(isClean: false))
        try send([4], over: connection.far)
        #expect(try becomesReadable(connection.near))
        outcome = try receive(from: connection.near)
        #expect(outcome.1 == [4])
    }

    @Test func theLastPacketWaitsForTheEnd() throws {
        let connection = try Connection.make(from: Self.loopback4, to: Self.loopback4)
        connection.near.holdLastPacket()
        try send([1, 2, 3], over: connection.near)
        let early = try receive(from: connection.far)
        #expect(early.0 == .wantsRead)
        connection.near.endWriting()
        #expect(try becomesReadable(connection.far))
        // The end is there as soon as the bytes are.
        var outcome = try receive(from: connection.far)
        #expect(outcome.0 == .bytes(3) && outcome.1 == [1, 2, 3])
        outcome = try receive(from: connection.far)
        #expect(outcome.0 == .ended(isClean: false))
    }

    @Test func aFullSocketAsksToWait() throws {
        let connection = try Connection.make(from: Self.loopback4, to: Self.loopback4)
        let piece = [UInt8](repeating: 1, count: 1 << 20)
        var outcome = WriteOutcome.bytes(0)
        for _ in 0..<100 {
            outcome = try unsafe piece.withUnsafeBytes { buffer in
                try unsafe duplicate(connection.near.number).send(buffer)
            }
            guard case .bytes = outcome else { break }
        }
        #expect(outcome == .wantsWrite)
        #expect(!connection.near.sendProgress().isComplete)
    }

    @Test func writingToALostPeerFailsWithoutASignal() throws {
        let connection = try Connection.make(from: Self.loopback4, to: Self.loopback4)
        let near = try connection.near.duplicate()
        let far = try connection.far.duplicate()
        drop(connection)
        try far.close()
        var outcome = WriteOutcome.bytes(0)
        for _ in 0..<200 {
            outcome = try unsafe [1 as UInt8].withUnsafeBytes { buffer in
                try unsafe duplicate(near.number).send(buffer)
            }
            guard case .bytes = outcome else { break }
            LinuxSystem.sleep(for: .milliseconds(10))
        }
        #expect(outcome == .failed)
    }

    private func drop(_: consuming Connection) {}

    @Test func progressCountsWhatThePeerAcknowledged() throws {
        let connection = try Connection.make(from: Self.loopback4, to: Self.loopback4)
        #expect(connection.far.sendProgress().isComplete)
        let start = connection.far.sendProgress().acknowledged
        try send([UInt8](repeating: 1, count: 50_000), over: connection.far)
        let deadline = Deadline(after: .seconds(5))
        while !connection.far.sendProgress().isComplete, !deadline.hasPassed {
            _ = try becomesReadable(connection.near)
            _ = try receive(from: connection.near)
        }
        let progress = connection.far.sendProgress()
        #expect(progress.isComplete)
        #expect(progress.acknowledged - start == 50_000)
    }

    @Test func aRefusedConnectionSaysSo() throws {
        let port = try OwnedDescriptor.listening(
            on: SocketAddress(.v4(0x7F00_0009), port: 0),
            backlog: 1
        ).localAddress().port
        let socket = try OwnedDescriptor.connecting(
            to: SocketAddress(.v4(0x7F00_0009), port: port),
            from: SocketAddress(Self.loopback4, port: 0)
        )
        #expect(try becomesWritable(socket))
        #expect(socket.connectionError() == SystemError("connect", .connectionRefused))
    }

    @Test func aConnectionLeavesFromTheAddressThatWasAskedFor() throws {
        let connection = try Connection.make(from: .v4(0x7F00_0063), to: Self.loopback4)
        #expect(connection.peer.address == .v4(0x7F00_0063))
    }

    @Test func aTakenPortIsReported() throws {
        let first = try OwnedDescriptor.listening(
            on: SocketAddress(Self.loopback4, port: 0),
            backlog: 1
        )
        let address = try first.localAddress()
        let error = thrown(SystemError.self) {
            _ = try OwnedDescriptor.listening(on: address, backlog: 1)
        }
        #expect(error?.errno == .addressInUse)
    }

    @Test func aListenerIsClosedForAllWhoHoldIt() throws {
        let first = try OwnedDescriptor.listening(
            on: SocketAddress(Self.loopback4, port: 0),
            backlog: 1
        )
        let address = try first.localAddress()
        let second = try duplicate(first.number)
        let client = try OwnedDescriptor.connecting(
            to: address,
            from: SocketAddress(Self.loopback4, port: 0)
        )
        #expect(try becomesReadable(second))
        #expect(!(try hasHungUp(first)), "a client that waits is no end")
        second.endListening()
        #expect(try hasHungUp(first))
        let isAccepted = ((try? first.accept()) ?? nil) != nil
        #expect(!isAccepted)
        #expect(try becomesReadable(client), "who was not accepted is told")
        // Another may have the port while both are still held.
        let third = try OwnedDescriptor.listening(on: address, backlog: 1)
        #expect(try third.localAddress() == address)
        #expect(try hasHungUp(second))
    }

    private func hasHungUp(_ socket: borrowing OwnedDescriptor) throws -> Bool {
        var entries = [PollEntry(socket.number)]
        _ = try poll(&entries, until: .passed)
        return entries[0].hasHungUp
    }

    @Test func aForeignAddressIsReported() {
        // TEST-NET-1 (RFC 5737) belongs to no machine.
        let error = thrown(SystemError.self) {
            _ = try OwnedDescriptor.listening(
                on: SocketAddress(.v4(0xC000_0201), port: 0),
                backlog: 1
            )
        }
        #expect(error == SystemError("bind", .addressNotAvailable))
    }
}
