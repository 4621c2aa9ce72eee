package import LinuxSystem

/// An administrator's end of the admin socket.
package struct AdminClient: ~Copyable {
    private let channel: MessageSocket

    /// Connects to the socket of a server.
    package init(_ path: String) throws(SystemError) {
        channel = try MessageSocket.connecting(to: path)
    }

    /// Asks something and waits for the answer.
    ///
    /// - Throws: ``AdminFailure``.
    package borrowing func ask(_ request: AdminRequest) throws(AdminFailure) -> AdminAnswer {
        // A server that refuses right away may have closed its end by now.
        try? channel.send(request.encoded)
        var message: [UInt8]?
        // The kernel tells first that the question was not read, and then what was said.
        for _ in 0..<2 where message == nil {
            if let received = try? channel.receive() { message = received.bytes }
        }
        guard let message else { throw .gone }
        guard let answer = try? AdminAnswer(decoding: message) else { throw .notUnderstood }
        guard case .refused(let refusal) = answer else { return answer }
        throw refusal == .forbidden ? .forbidden : .notUnderstood
    }

    /// Asks for every session, the one that connected first in front.
    package borrowing func sessions() throws(AdminFailure) -> [LiveSession] {
        var found: [LiveSession] = []
        var last: UInt32 = 0
        while true {
            guard case .sessions(let some, let isLast) = try ask(.sessions(after: last)) else {
                throw .notUnderstood
            }
            found += some
            guard let next = some.last?.process, next > last, !isLast else { break }
            last = next
        }
        return found.sorted { ($0.connected, $0.process) < ($1.connected, $1.process) }
    }
}

/// Why there is no answer.
package enum AdminFailure: Error, Hashable, Sendable {
    /// Only root and the members of `admin_group` may ask.
    case forbidden
    /// The server is of another version.
    case notUnderstood
    /// The server ended.
    case gone
}
