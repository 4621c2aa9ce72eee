internal import CLinux
internal import FTPProtocol
internal import Glibc
internal import SystemPackage

/// What a non-blocking read of a socket gave.
package enum ReadOutcome: Hashable, Sendable {
    /// This many bytes, at least one.
    case bytes(Int)
    /// Nothing yet; wait until the socket is readable.
    case wantsRead
    /// Nothing yet; wait until the socket is writable (TLS only).
    case wantsWrite
    /// The peer will send no more. `isClean` tells whether it said so in a way that nobody on the
    /// path can forge: under TLS by `close_notify`, in plain TCP never.
    case ended(isClean: Bool)
    /// The connection broke.
    case failed
}

/// What a non-blocking write to a socket gave.
package enum WriteOutcome: Hashable, Sendable {
    /// This many bytes were taken, at least one.
    case bytes(Int)
    /// Nothing yet; wait until the socket is readable (TLS only).
    case wantsRead
    /// Nothing yet; wait until the socket is writable.
    case wantsWrite
    /// The connection broke.
    case failed
}

/// What the kernel made of the wish to send a piece of a file.
package enum SendfileOutcome: Hashable, Sendable {
    /// This many bytes were taken, at least one.
    case bytes(Int)
    /// The file has no more.
    case ended
    /// Nothing yet; wait until the socket is writable.
    case wantsWrite
    /// This cannot be done with such a file; it has to be read.
    case unsupported
    /// The file cannot be read.
    case unreadable
    /// The connection broke.
    case failed
}

/// TCP sockets: what `socket(2)`, `bind(2)`, `listen(2)`, `accept4(2)` and `connect(2)` do here.
extension OwnedDescriptor {
    /// Opens a non-blocking TCP socket that listens on `address`.
    ///
    /// - Parameters:
    ///   - address: Where to listen; port 0 takes any free port.
    ///   - backlog: Connections that the kernel holds until they are accepted.
    ///   - isDualStack: An IPv6 socket takes IPv4 connections too.
    /// - Returns: The socket.
    /// - Throws: ``SystemError``; `EADDRINUSE` when the port is taken, `EACCES` when it is
    ///   privileged, `EADDRNOTAVAIL` when the address is not this machine's.
    package static func listening(
        on address: SocketAddress,
        backlog: CInt,
        isDualStack: Bool = false
    ) throws(SystemError) -> OwnedDescriptor {
        let socket = try streamSocket(for: address)
        try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1)
        if address.address.family == .ipv6 {
            try socket.setOption(CInt(IPPROTO_IPV6), IPV6_V6ONLY, isDualStack ? 0 : 1)
        }
        try socket.bind(to: address)
        guard Glibc.listen(socket.number, backlog) == 0 else { throw SystemError("listen") }
        return socket
    }

    /// Starts a TCP connection to `remote` and returns at once.
    ///
    /// The socket becomes writable when the connection stands or has failed; ``connectionError()``
    /// then tells which.
    ///
    /// - Parameters:
    ///   - remote: Where to connect to.
    ///   - local: The address to connect from, port 0 for any. A port below 1024 needs
    ///     `CAP_NET_BIND_SERVICE`.
    /// - Returns: The socket, most likely still on its way.
    /// - Throws: ``SystemError`` when the connection cannot even be started.
    package static func connecting(
        to remote: SocketAddress,
        from local: SocketAddress
    ) throws(SystemError) -> OwnedDescriptor {
        let socket = try streamSocket(for: remote)
        if local.port != 0 { try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1) }
        try socket.bind(to: local)
        let number = socket.number
        let result = unsafe remote.withSocketAddress { unsafe Glibc.connect(number, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else { throw SystemError("connect") }
        return socket
    }

    /// Opens a UDP socket that is connected to `remote`, to which nothing is sent by that.
    ///
    /// - Throws: ``SystemError``; `ENETUNREACH` when there is no way there.
    package static func datagram(
        towards remote: SocketAddress
    ) throws(SystemError) -> OwnedDescriptor {
        let family = remote.address.family == .ipv4 ? AF_INET : AF_INET6
        let type = CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let number = Glibc.socket(family, type, 0)
        guard number >= 0 else { throw SystemError("socket") }
        let socket = OwnedDescriptor(owning: number)
        let result = unsafe remote.withSocketAddress { unsafe Glibc.connect(number, $0, $1) }
        guard result == 0 else { throw SystemError("connect") }
        return socket
    }

    private static func streamSocket(
        for address: SocketAddress
    ) throws(SystemError) -> OwnedDescriptor {
        let family = address.address.family == .ipv4 ? AF_INET : AF_INET6
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let number = Glibc.socket(family, type, 0)
        guard number >= 0 else { throw SystemError("socket") }
        return OwnedDescriptor(owning: number)
    }

    private borrowing func bind(to address: SocketAddress) throws(SystemError) {
        let number = number
        let result = unsafe address.withSocketAddress { unsafe Glibc.bind(number, $0, $1) }
        guard result == 0 else { throw SystemError("bind") }
    }

    /// Takes one waiting connection, non-blocking and with close-on-exec set.
    ///
    /// - Returns: The connection and its peer, or `nil` when none waits (any more).
    /// - Throws: ``SystemError``; `EMFILE`, `ENFILE` and `ENOMEM` mean to try again later.
    package borrowing func accept() throws(SystemError) -> AcceptedConnection? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // SAFETY: a sockaddr_storage is large enough for every address family.
        let result = unsafe CLinux_accept(number, &storage, &size)
        guard result >= 0 else {
            switch -result {
            // accept(2): errors of the new connection itself; the next one may be fine.
            case EAGAIN, EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET,
                EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, EPERM:
                return nil
            default:
                throw SystemError("accept4", Errno(rawValue: -result))
            }
        }
        let connection = OwnedDescriptor(owning: result)
        guard let peer = SocketAddress(storage) else { return nil }
        return AcceptedConnection(descriptor: connection, peer: peer)
    }

    /// The address of this end, from `getsockname(2)`.
    package borrowing func localAddress() throws(SystemError) -> SocketAddress {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let socket = number
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            // SAFETY: a sockaddr_storage is large enough for every address family.
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(socket, $0, &size)
            }
        }
        guard result == 0 else { throw SystemError("getsockname") }
        guard let address = SocketAddress(storage) else {
            throw SystemError("getsockname", .addressFamilyNotSupported)
        }
        return address
    }

    /// Why a connection that ``connecting(to:from:)`` started failed; `nil` when it stands.
    package borrowing func connectionError() -> SystemError? {
        var code: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        guard unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else {
            return SystemError("getsockopt")
        }
        return code == 0 ? nil : SystemError("connect", .init(rawValue: code))
    }

    /// Sends small packets at once (`TCP_NODELAY` of `tcp(7)`).
    ///
    /// Only a matter of speed, so a failure is ignored.
    package borrowing func sendWithoutDelay() {
        try? setOption(CInt(IPPROTO_TCP), TCP_NODELAY, 1)
    }

    /// Acknowledges what has arrived without waiting for something to send (`TCP_QUICKACK` of
    /// `tcp(7)`).
    ///
    /// Holds for the moment alone. Only a matter of speed, so a failure is ignored.
    package borrowing func acknowledgeAtOnce() {
        try? setOption(CInt(IPPROTO_TCP), TCP_QUICKACK, 1)
    }

    /// Has the last packet wait for what comes next, at most 200 ms (`TCP_CORK` of `tcp(7)`).
    ///
    /// ``endWriting()`` sends it together with the end. Only a matter of speed, so a failure is
    /// ignored.
    package borrowing func holdLastPacket() {
        try? setOption(CInt(IPPROTO_TCP), TCP_CORK, 1)
    }

    /// Has the kernel notice a peer that vanished without a word (`SO_KEEPALIVE`).
    package borrowing func keepAlive() {
        try? setOption(SOL_SOCKET, SO_KEEPALIVE, 1)
    }

    /// Delivers urgent bytes in line: Telnet's data mark would otherwise be lost (RFC 854).
    package borrowing func receiveUrgentDataInline() {
        try? setOption(SOL_SOCKET, SO_OOBINLINE, 1)
    }

    private borrowing func setOption(
        _ level: CInt,
        _ option: CInt,
        _ value: CInt
    ) throws(SystemError) {
        var value = value
        let size = socklen_t(MemoryLayout<CInt>.size)
        guard unsafe setsockopt(number, level, option, &value, size) == 0 else {
            throw SystemError("setsockopt")
        }
    }

    /// Receives what is there, without waiting.
    package borrowing func receive(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        unsafe receive(into: buffer, 0)
    }

    /// Looks whether there is something to receive, and leaves it there (`MSG_PEEK` of `recv(2)`).
    package borrowing func look() -> ReadOutcome {
        var byte: UInt8 = 0
        return unsafe withUnsafeMutableBytes(of: &byte) {
            unsafe receive(into: $0, CInt(MSG_PEEK))
        }
    }

    private borrowing func receive(
        into buffer: UnsafeMutableRawBufferPointer,
        _ flags: CInt
    ) -> ReadOutcome {
        while true {
            let count = unsafe recv(number, buffer.baseAddress, buffer.count, flags)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .ended(isClean: false) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wantsRead
            default: return .failed
            }
        }
    }

    /// Sends what fits, without waiting and without `SIGPIPE`.
    package borrowing func send(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
        while true {
            let flags = CInt(MSG_NOSIGNAL)
            let count = unsafe Glibc.send(number, bytes.baseAddress, bytes.count, flags)
            if count >= 0 { return .bytes(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wantsWrite
            default: return .failed
            }
        }
    }

    /// Has the kernel send the next bytes of `file` (`sendfile(2)`), without waiting.
    ///
    /// There is no way to have `SIGPIPE` left out: it is ignored or blocked wherever this is called.
    package borrowing func send(
        file: borrowing OwnedDescriptor,
        atMost byteCount: Int
    ) -> SendfileOutcome {
        while true {
            let count = Glibc.sendfile(number, file.number, nil, byteCount)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .ended }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wantsWrite
            case EINVAL, ENOSYS, EOPNOTSUPP, EOVERFLOW: return .unsupported
            case EIO: return .unreadable
            default: return .failed
            }
        }
    }

    /// Tells the peer that nothing more will come (`shutdown(2)` with `SHUT_WR`).
    package borrowing func endWriting() {
        _ = Glibc.shutdown(number, CInt(SHUT_WR))
    }

    /// Closes the port of a listening socket for every process that holds it (`shutdown(2)`).
    ///
    /// Connections that nobody has accepted are reset. The socket reports to all of its holders that
    /// it has hung up (``PollEntry/hasHungUp``), and cannot be told from one that never listened.
    package borrowing func endListening() {
        _ = Glibc.shutdown(number, CInt(SHUT_RDWR))
    }

    /// How much the peer's kernel has acknowledged, and whether anything is still on its way.
    package borrowing func sendProgress() -> SendProgress {
        var outstanding: CInt = 0
        let acknowledged = unsafe CLinux_acknowledged_bytes(number, &outstanding)
        return SendProgress(
            acknowledged: max(0, acknowledged),
            isComplete: acknowledged < 0 || outstanding == 0
        )
    }
}

extension OwnedDescriptor {
    /// Bytes that the peer has sent so far (`TCP_INFO` of `tcp(7)`), 0 when nobody can tell.
    package var receivedByteCount: Int64 { max(0, CLinux_received_bytes(number)) }
}

/// A connection that was just accepted.
package struct AcceptedConnection: ~Copyable {
    /// The connection's socket.
    package var descriptor: OwnedDescriptor

    /// Who connected.
    package let peer: SocketAddress

    /// Gives up everything but the socket.
    package consuming func takeDescriptor() -> OwnedDescriptor { descriptor }
}

/// How far sent bytes have come.
package struct SendProgress: Hashable, Sendable {
    /// Bytes that the peer's kernel has acknowledged since the connection began.
    package let acknowledged: Int64

    /// Whether no byte waits to be sent or acknowledged.
    package let isComplete: Bool
}
