internal import FTPProtocol
internal import Isolation
internal import LinuxSystem
internal import Logging

/// What a load balancer says before it lets a client speak (`proxy_networks`).
///
/// The Warden learns the client's address before the first byte of the client is read: whoever
/// takes this process over by what they send is too late to claim another one.
enum ProxyReception {
    /// How long the header may take.
    private static let timeout: Duration = .seconds(10)

    /// How long a health check may stay.
    private static let checkTimeout: Duration = .seconds(5)

    /// Reads the header.
    ///
    /// - Parameters:
    ///   - start: The session that is to begin.
    ///   - greeting: What a health check is greeted with.
    /// - Returns: The session with its client, or `nil` when there is none to serve.
    static func complete(
        _ start: consuming SessionStart,
        greeting: Reply
    ) -> SessionStart? {
        guard start.isProxied else { return start }
        let warden = start.warden
        let header: ProxyHeader?
        do throws(ProxyHeaderError) {
            header = try receive(from: start.control, until: Deadline(after: timeout))
        } catch {
            warden.log(.warning, "no PROXY header from the proxy \(start.peer)")
            return nil
        }
        // A check that connects and leaves.
        guard let header else { return nil }
        guard let ends = header.ends(behind: start.peer) else {
            answerCheck(start.control, start.kind == .implicitTLS ? nil : greeting)
            return nil
        }
        let refusal: ClientRefusal?
        do throws(WardenGone) {
            refusal = try warden.name(client: ends.client)
        } catch {
            return nil
        }
        if let refusal {
            if start.kind != .implicitTLS { send(refusal.reply, over: start.control) }
            return nil
        }
        start.speak(for: ends.client, to: ends.front)
        return start
    }

    /// Reads the header and no byte more; `nil` when nothing came at all.
    private static func receive(
        from socket: borrowing OwnedDescriptor,
        until deadline: Deadline
    ) throws(ProxyHeaderError) -> ProxyHeader? {
        var reader = ProxyHeaderReader()
        while !deadline.hasPassed {
            var piece = [UInt8](repeating: 0, count: reader.wantedByteCount)
            let outcome = unsafe piece.withUnsafeMutableBytes { unsafe socket.receive(into: $0) }
            switch outcome {
            case .bytes(let count):
                if let header = try reader.read(piece.prefix(count)) { return header }
            case .wantsRead, .wantsWrite:
                var entries = [PollEntry(socket.number, reading: true)]
                _ = try? poll(&entries, until: deadline)
            case .ended, .failed:
                if reader.isEmpty { return nil }
                throw ProxyHeaderError()
            }
        }
        throw ProxyHeaderError()
    }

    /// Shows a load balancer that the server lives; reads nothing of what it says to that.
    private static func answerCheck(_ socket: borrowing OwnedDescriptor, _ greeting: Reply?) {
        if let greeting { send(greeting, over: socket) }
        socket.endWriting()
        let deadline = Deadline(after: checkTimeout)
        var rest = [UInt8](repeating: 0, count: 512)
        while !deadline.hasPassed {
            switch unsafe rest.withUnsafeMutableBytes({ unsafe socket.receive(into: $0) }) {
            case .bytes: continue
            case .wantsRead, .wantsWrite:
                var entries = [PollEntry(socket.number, reading: true)]
                _ = try? poll(&entries, until: deadline)
            case .ended, .failed: return
            }
        }
    }

    private static func send(_ reply: Reply, over socket: borrowing OwnedDescriptor) {
        _ = unsafe reply.encoded.withUnsafeBytes { unsafe socket.send($0) }
    }
}

extension ProxyHeader {
    /// The client, and the address of the proxy that it connected to; `nil` for a health check.
    ///
    /// HAProxy's checks by version 1 name the very connection that they come on.
    func ends(behind proxy: SocketAddress) -> (client: SocketAddress, front: SocketAddress)? {
        guard case .client(let source, let destination) = self,
            source != ProxyEnd(proxy.address, proxy.port)
        else { return nil }
        return (
            SocketAddress(source.address, port: source.port),
            SocketAddress(destination.address, port: destination.port)
        )
    }
}
