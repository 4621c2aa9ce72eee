internal import FTPProtocol
internal import LinuxSystem

/// Where a server listens: a numeric IP address and a TCP port.
public struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// An IPv4 or IPv6 address, such as `127.0.0.1`; `0.0.0.0` and `::` are every one of this machine.
    public var host: String

    /// The port; 0 takes any free one, which ``FTPServer/address`` then tells.
    public var port: UInt16

    /// Names an address and a port.
    public init(_ host: String, _ port: UInt16) {
        self.host = host
        self.port = port
    }

    init(_ address: SocketAddress) {
        self.init("\(address.address)", address.port)
    }

    /// `127.0.0.1:2121` or `[::1]:2121`.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The form that sockets take.
    var socketAddress: SocketAddress {
        get throws(ServerError) {
            guard let address = IPAddress(host) else {
                throw ServerError("address: `\(host)` is no IP address: write one in numbers")
            }
            return SocketAddress(address, port: port)
        }
    }
}
