import FTPProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import Isolation

@Suite("Ports for passive data connections")
struct PassivePortsTests {
    // An address of its own keeps other tests from taking these ports.
    private static let address = loopback(77)

    /// A few neighbouring ports, all of them taken.
    private final class Taken {
        let range: ClosedRange<UInt16>
        private var holders: [UInt16: Holder]

        init(from first: UInt16, count: UInt16) throws {
            range = first...(first + count - 1)
            holders = [:]
            for port in range {
                let socket = try OwnedDescriptor.listening(
                    on: SocketAddress(address, port: port),
                    backlog: 1
                )
                holders[port] = Holder(socket)
            }
        }

        func free(_ port: UInt16) {
            _ = holders.removeValue(forKey: port)?.take()
        }
    }

    private func port(of ports: PassivePorts) throws(DataSocketFailure) -> UInt16 {
        try ports.listen(on: SocketAddress(Self.address, port: 0)).port
    }

    @Test func theSocketListensOnThePortThatIsTold() throws {
        let ports = PassivePorts(41_000...41_999)
        let socket = try ports.listen(on: SocketAddress(Self.address, port: 21))
        let local = try socket.descriptor.localAddress()
        #expect(local == SocketAddress(Self.address, port: socket.port))
        #expect(ports.range.contains(socket.port))
    }

    @Test(arguments: [42_000, 42_117, 42_239] as [UInt16])
    func theOnlyFreePortIsFound(free: UInt16) throws {
        let taken = try Taken(from: free / 100 * 100, count: 40)
        let ports = PassivePorts(taken.range)
        let before = thrown(DataSocketFailure.self) { _ = try port(of: ports) }
        #expect(before == .rangeExhausted)
        taken.free(free)
        let first = try ports.listen(on: SocketAddress(Self.address, port: 0))
        #expect(first.port == free)
        let after = thrown(DataSocketFailure.self) { _ = try port(of: ports) }
        #expect(after == .rangeExhausted)
        hold(first)
    }

    private func hold(_: borrowing ListeningSocket) {}

    @Test func aRangeOfOnePortIsUsedAgainAndAgain() throws {
        let ports = PassivePorts(43_000...43_000)
        for _ in 0..<3 {
            let socket = try ports.listen(on: SocketAddress(Self.address, port: 0))
            #expect(socket.port == 43_000)
            let failure = thrown(DataSocketFailure.self) { _ = try port(of: ports) }
            #expect(failure == .rangeExhausted)
            hold(socket)
        }
    }

    @Test func theHighestPortsAreNoSpecialCase() throws {
        let ports = PassivePorts(65_534...65_535)
        let first = try ports.listen(on: SocketAddress(Self.address, port: 0))
        let second = try ports.listen(on: SocketAddress(Self.address, port: 0))
        #expect(Set([first.port, second.port]) == [65_534, 65_535])
        let failure = thrown(DataSocketFailure.self) { _ = try port(of: ports) }
        #expect(failure == .rangeExhausted)
        hold(first)
        hold(second)
    }

    @Test func portsAreNotHandedOutInOrder() throws {
        let ports = PassivePorts(44_000...44_999)
        var chosen: [UInt16] = []
        for _ in 0..<20 { chosen.append(try port(of: ports)) }
        #expect(Set(chosen).count > 10)
        #expect(chosen != chosen.sorted())
    }

    @Test func anAddressOfAnotherMachineFails() {
        // TEST-NET-1 (RFC 5737) belongs to no machine; waiting for a port would not help.
        let failure = thrown(DataSocketFailure.self) {
            _ = try PassivePorts(45_000...45_010)
                .listen(on: SocketAddress(.v4(0xC000_0201), port: 0)).port
        }
        #expect(failure == .failed)
    }
}
