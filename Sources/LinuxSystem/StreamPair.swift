internal import Glibc

/// Two connected stream sockets that never wait (`socketpair(2)`).
package struct StreamPair: ~Copyable {
    /// One end.
    package let first: OwnedDescriptor

    /// The other end.
    package let second: OwnedDescriptor

    /// Makes a pair, both ends with close-on-exec set.
    package init() throws(SystemError) {
        var numbers: [CInt] = [-1, -1]
        let type = CInt(
            SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        )
        guard unsafe socketpair(AF_UNIX, type, 0, &numbers) == 0 else {
            throw SystemError("socketpair")
        }
        first = OwnedDescriptor(owning: numbers[0])
        second = OwnedDescriptor(owning: numbers[1])
    }
}
