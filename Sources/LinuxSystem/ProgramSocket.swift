internal import Glibc
internal import SystemPackage

/// Sockets that a program has opened before a server that is part of it.
extension OwnedDescriptor {
    /// Takes over a socket that listens for TCP over IPv4 or IPv6, non-blocking and with close-on-exec
    /// set from here on.
    ///
    /// - Parameter number: The socket's descriptor, which nobody else closes.
    /// - Returns: The socket.
    /// - Throws: ``SystemError`` for anything else, which is left as it was: `ENOTSOCK` for no
    ///   socket, `EAFNOSUPPORT` for another family, `EPROTONOSUPPORT` for another protocol, `EINVAL` for
    ///   a socket that does not listen and for a number that nothing has.
    package static func adoptingListener(_ number: CInt) throws(SystemError) -> OwnedDescriptor {
        // EBADF would be a mistake of ours and end the program; here it is somebody else's.
        guard number >= 0, fcntl(number, F_GETFD) >= 0 else {
            throw SystemError("no open descriptor", .invalidArgument)
        }
        let family = try option(SO_DOMAIN, of: number)
        guard family == AF_INET || family == AF_INET6 else {
            throw SystemError("socket", .addressFamilyNotSupported)
        }
        guard try option(SO_PROTOCOL, of: number) == CInt(IPPROTO_TCP) else {
            throw SystemError("socket", .protocolNotSupported)
        }
        guard try option(SO_ACCEPTCONN, of: number) == 1 else {
            throw SystemError("socket", .invalidArgument)
        }
        let flags = fcntl(number, F_GETFL)
        guard flags >= 0, fcntl(number, F_SETFL, flags | O_NONBLOCK) == 0,
            fcntl(number, F_SETFD, FD_CLOEXEC) == 0
        else { throw SystemError("fcntl") }
        return OwnedDescriptor(owning: number)
    }

    private static func option(_ name: CInt, of number: CInt) throws(SystemError) -> CInt {
        var value: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        guard unsafe getsockopt(number, SOL_SOCKET, name, &value, &size) == 0 else {
            throw SystemError("getsockopt")
        }
        return value
    }
}
