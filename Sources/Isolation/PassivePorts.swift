internal import FTPProtocol
internal import LinuxSystem
internal import SystemPackage

/// The ports on which data connections are awaited (`pasv_min_port`, `pasv_max_port`).
package struct PassivePorts: Hashable, Sendable {
    /// The lowest and the highest port.
    package let range: ClosedRange<UInt16>

    /// Connections that may wait while a stranger's is being looked at.
    private static let backlog: CInt = 128

    /// Creates a range.
    package init(_ range: ClosedRange<UInt16>) {
        self.range = range
    }

    /// Listens on a free port, chosen at random, of `address`.
    ///
    /// Random, because a port that can be guessed can be connected to first (RFC 2577 section 8).
    /// Every port is tried before the range counts as exhausted.
    func listen(on address: SocketAddress) throws(DataSocketFailure) -> ListeningSocket {
        var generator = SystemRandomNumberGenerator()
        // A few picks at random find a port at once in a range that is mostly free.
        for _ in 0..<16 {
            let port = UInt16.random(in: range, using: &generator)
            if let socket = try attempt(address, port) { return socket }
        }
        // Then all of them, from a random one on.
        let start = Int(UInt16.random(in: range, using: &generator))
        for offset in 0..<range.count {
            let index = (start - Int(range.lowerBound) + offset) % range.count
            let port = range.lowerBound + UInt16(index)
            if let socket = try attempt(address, port) { return socket }
        }
        throw .rangeExhausted
    }

    private func attempt(
        _ address: SocketAddress,
        _ port: UInt16
    ) throws(DataSocketFailure) -> ListeningSocket? {
        var address = address
        address.port = port
        do throws(SystemError) {
            let socket = try OwnedDescriptor.listening(on: address, backlog: Self.backlog)
            return ListeningSocket(descriptor: socket, port: port)
        } catch {
            guard error.errno == .addressInUse else { throw .failed }
            return nil
        }
    }
}

/// A socket that listens for data connections.
struct ListeningSocket: ~Copyable {
    var descriptor: OwnedDescriptor
    let port: UInt16

    /// The socket alone.
    consuming func takeDescriptor() -> OwnedDescriptor { descriptor }
}
