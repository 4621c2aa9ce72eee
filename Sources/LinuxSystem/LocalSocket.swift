internal import CLinux
internal import Glibc
internal import SystemPackage

/// A socket in the file system, for processes of this machine (`unix(7)`, `SOCK_SEQPACKET`).
package final class LocalSocket {
    /// The socket, for `poll(2)`.
    package let descriptor: OwnedDescriptor

    private let path: String
    private let number: UInt64

    private init(_ descriptor: consuming OwnedDescriptor, _ path: String, _ number: UInt64) {
        self.descriptor = descriptor
        self.path = path
        self.number = number
    }

    /// Listens at `path`, for root and the members of `group`.
    ///
    /// A socket that is there is replaced: that of a process that is gone, or of one that this one
    /// takes over from.
    package static func listening(
        at path: String,
        group: UInt32
    ) throws(SystemError) -> LocalSocket {
        let result = unsafe CLinux_listen_locally(path, 0o660, group, 16)
        let descriptor = OwnedDescriptor(owning: try checked("bind", result))
        let number = unsafe CLinux_file_number(path)
        guard number >= 0 else { throw SystemError("lstat", Errno(rawValue: CInt(-number))) }
        return LocalSocket(descriptor, path, UInt64(number))
    }

    /// Takes one waiting connection, or `nil` when none waits (any more).
    package func accept() -> MessageSocket? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // SAFETY: a sockaddr_storage is large enough for every address family.
        let result = unsafe CLinux_accept(descriptor.number, &storage, &size)
        return result < 0 ? nil : MessageSocket(owning: OwnedDescriptor(owning: result))
    }

    /// Removes the socket from the file system, unless it is somebody else's by now.
    package func remove() {
        _ = unsafe CLinux_remove_local_socket(path, number)
    }

    /// Whether nobody but root, or this process's user, can put something in the place of `path`.
    ///
    /// - Returns: Why not, as the end of a sentence; `nil` where that is so.
    package static func problem(with path: String) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let directory = parts.count > 1 ? parts.joined(separator: "/") : "/"
        var status = stat()
        guard unsafe lstat(directory, &status) == 0 else {
            return "there is no directory \(directory)"
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { return "\(directory) is no directory" }
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            return "\(directory) belongs to somebody else"
        }
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            return "others than its owner may write to \(directory)"
        }
        return nil
    }
}

extension MessageSocket {
    /// Connects to the socket that another process listens on at `path`.
    package static func connecting(to path: String) throws(SystemError) -> MessageSocket {
        let result = unsafe CLinux_connect_locally(path)
        return MessageSocket(owning: OwnedDescriptor(owning: try checked("connect", result)))
    }

    /// Whether whoever connected is root, `user`, or a member of `group`, as the kernel knows it.
    package borrowing func peerBelongs(user: UInt32, group: UInt32) -> Bool {
        CLinux_peer_belongs(descriptor.number, user, group) != 0
    }

    /// The id of whoever connected; that of nobody in particular where the kernel does not tell.
    package var peerUser: UInt32 {
        UInt32(exactly: CLinux_peer_user(descriptor.number)) ?? .max
    }
}
