internal import FTPProtocol
internal import Glibc
internal import LinuxSystem

/// What this machine does with its ports and addresses, as far as /proc tells.
enum HostPorts {
    /// The ports that the kernel gives to connections of its own choice; `nil` where nobody knows.
    static var ephemeral: ClosedRange<UInt16>? {
        let numbers = text("/proc/sys/net/ipv4/ip_local_port_range")
            .split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
        guard numbers.count == 2, numbers[0] <= numbers[1] else { return nil }
        return numbers[0]...numbers[1]
    }

    /// Whether the kernel gives none of these ports away by itself.
    static func areReserved(_ range: ClosedRange<UInt16>) -> Bool {
        let list = text("/proc/sys/net/ipv4/ip_local_reserved_ports")
        let reserved = list.split { $0 == "," || $0.isWhitespace }
            .compactMap { part -> ClosedRange<UInt16>? in
                let ends = part.split(separator: "-").compactMap { UInt16($0) }
                guard let first = ends.first, let last = ends.last, first <= last else {
                    return nil
                }
                return first...last
            }
        return range.allSatisfy { port in reserved.contains { $0.contains(port) } }
    }

    /// Ports on which programs listen that are not this server's.
    static func listening(in range: ClosedRange<UInt16>) -> [UInt16] {
        var found: [String: UInt16] = [:]
        for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
            for line in text(file, limit: 4_194_304).split(separator: "\n").dropFirst() {
                let fields = line.split(separator: " ")
                // 0A is TCP_LISTEN; the last part of the local address is the port, in hexadecimal.
                guard fields.count > 9, fields[3] == "0A",
                    let digits = fields[1].split(separator: ":").last,
                    let port = UInt16(digits, radix: 16), range.contains(port)
                else { continue }
                found[String(fields[9])] = port
            }
        }
        guard !found.isEmpty else { return [] }
        let own = socketsOfThisServer()
        return Set(found.filter { !own.contains($0.key) }.values).sorted()
    }

    /// The inodes of sockets that a process of the server holds.
    private static func socketsOfThisServer() -> Set<String> {
        var inodes: Set<String> = []
        for name in (try? HostFile.names(inDirectory: "/proc")) ?? [] where Int(name) != nil {
            guard text("/proc/\(name)/comm").hasPrefix("ftps-") else { continue }
            for number in (try? HostFile.names(inDirectory: "/proc/\(name)/fd")) ?? [] {
                var target = [CChar](repeating: 0, count: 64)
                // SAFETY: the string is NUL-terminated for the call, and the buffer as long as said.
                let count = unsafe readlink("/proc/\(name)/fd/\(number)", &target, target.count)
                guard count > 0 else { continue }
                let bytes = target.prefix(count).map(UInt8.init(bitPattern:))
                let link = String(decoding: bytes, as: UTF8.self)
                if link.hasPrefix("socket:[") {
                    inodes.insert(String(link.dropFirst(8).dropLast()))
                }
            }
        }
        return inodes
    }

    /// The address that connections to elsewhere come from; `nil` without a way there.
    static var mainAddress: IPAddress? {
        // No packet is sent: the kernel looks for the way when a datagram socket is connected.
        let elsewhere = SocketAddress(.v4(0xC000_0201), port: 9)
        guard let socket = try? OwnedDescriptor.datagram(towards: elsewhere) else { return nil }
        return try? socket.localAddress().address
    }

    /// Whether this machine has the address.
    static func isOwn(_ address: IPAddress) -> Bool {
        // The port is any free one, and closed again at once.
        (try? OwnedDescriptor.listening(on: SocketAddress(address, port: 0), backlog: 1)) != nil
    }

    /// Reads a file of /proc; the kernel makes room for as much as is asked for, so settings are
    /// asked for less than lists.
    private static func text(_ path: String, limit: Int = 65_536) -> String {
        let bytes = (try? HostFile.read(path, limit: limit))?.bytes ?? []
        return String(decoding: bytes, as: UTF8.self)
    }
}
