internal import Glibc
internal import SystemPackage

/// A listening socket that the service manager opened for us (`sd_listen_fds(3)`).
package struct InheritedSocket: ~Copyable {
    /// The socket, non-blocking and with close-on-exec set.
    package var descriptor: OwnedDescriptor

    /// What the service manager calls it (`FileDescriptorName=` of `systemd.socket(5)`).
    package let name: String

    /// Gives up everything but the socket.
    package consuming func takeDescriptor() -> OwnedDescriptor { descriptor }

    /// How many sockets wait for this very process.
    ///
    /// Reads `LISTEN_PID` and `LISTEN_FDS`.
    package static var count: Int {
        guard environment("LISTEN_PID").flatMap({ pid_t($0) }) == getpid(),
            let count = environment("LISTEN_FDS").flatMap({ Int($0) })
        else { return 0 }
        return min(max(0, count), 64)
    }

    /// Takes over one of the sockets, once.
    ///
    /// - Parameter index: From 0 to ``count``.
    /// - Returns: The socket.
    /// - Throws: ``SystemError`` when it is none that listens for TCP.
    package static func take(_ index: Int) throws(SystemError) -> InheritedSocket {
        // The numbers begin behind standard error.
        let number = CInt(3 + index)
        guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else { throw SystemError("fcntl") }
        guard fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK) == 0 else {
            throw SystemError("fcntl")
        }
        let descriptor = OwnedDescriptor(owning: number)
        guard option(number, SO_ACCEPTCONN) == 1, option(number, SO_PROTOCOL) == CInt(IPPROTO_TCP)
        else {
            throw SystemError(
                "a socket of the service manager does not listen for TCP",
                .invalidArgument
            )
        }
        return InheritedSocket(descriptor: descriptor, name: names[index])
    }

    /// What the service manager calls the sockets that wait, one name for each.
    ///
    /// Reads `LISTEN_FDNAMES`; a socket without a name there has an empty one.
    package static var names: [String] {
        let names = (environment("LISTEN_FDNAMES") ?? "").split(
            separator: ":",
            omittingEmptySubsequences: false
        )
        return (0..<count).map { names.indices.contains($0) ? String(names[$0]) : "" }
    }

    private static func option(_ number: CInt, _ name: CInt) -> CInt? {
        var value: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        return unsafe getsockopt(number, SOL_SOCKET, name, &value, &size) == 0 ? value : nil
    }

    private static func environment(_ name: String) -> String? {
        // SAFETY: nothing changes the environment meanwhile, in a process with one thread.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
