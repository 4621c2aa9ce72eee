package import FTPProtocol
internal import Glibc

/// An IP address with a port, as `ip(7)` and `ipv6(7)` sockets use it.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address; an IPv4-mapped one is always shown as IPv4.
    package var address: IPAddress

    /// The port in host byte order.
    package var port: UInt16

    /// The interface index of a link-local IPv6 address, else 0.
    package var scope: UInt32

    /// Creates an address; `::ffff:a.b.c.d` becomes `a.b.c.d`.
    package init(_ address: IPAddress, port: UInt16, scope: UInt32 = 0) {
        self.address = address.unmapped
        self.port = port
        self.scope = scope
    }

    /// `127.0.0.1:21`, `[::1]:21`, or `[fe80::1%2]:21` with the number of the interface.
    package var description: String {
        switch address {
        case .v4: "\(address):\(port)"
        case .v6 where scope != 0: "[\(address)%\(scope)]:\(port)"
        case .v6: "[\(address)]:\(port)"
        }
    }

    init?(_ storage: sockaddr_storage) {
        var storage = storage
        switch CInt(storage.ss_family) {
        case AF_INET:
            self = unsafe withUnsafePointer(to: &storage) { pointer in
                // SAFETY: the family says that the storage holds a sockaddr_in.
                unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { inet in
                    unsafe SocketAddress(
                        .v4(UInt32(bigEndian: inet.pointee.sin_addr.s_addr)),
                        port: UInt16(bigEndian: inet.pointee.sin_port)
                    )
                }
            }
        case AF_INET6:
            self = unsafe withUnsafePointer(to: &storage) { pointer in
                // SAFETY: the family says that the storage holds a sockaddr_in6.
                unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { inet in
                    let bytes = unsafe withUnsafeBytes(of: inet.pointee.sin6_addr) {
                        unsafe [UInt8]($0)
                    }
                    let halves = [bytes[..<8], bytes[8...]].map { half in
                        half.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                    }
                    return unsafe SocketAddress(
                        .v6(high: halves[0], low: halves[1]),
                        port: UInt16(bigEndian: inet.pointee.sin6_port),
                        scope: inet.pointee.sin6_scope_id
                    )
                }
            }
        default:
            return nil
        }
    }

    /// Lends the address in the form that `bind(2)` and `connect(2)` take.
    func withSocketAddress<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        switch address {
        case .v4(let number):
            var inet = sockaddr_in()
            inet.sin_family = sa_family_t(AF_INET)
            inet.sin_port = port.bigEndian
            inet.sin_addr.s_addr = number.bigEndian
            return unsafe Self.lend(&inet, body)
        case .v6(let high, let low):
            var inet = sockaddr_in6()
            inet.sin6_family = sa_family_t(AF_INET6)
            inet.sin6_port = port.bigEndian
            inet.sin6_scope_id = scope
            unsafe withUnsafeMutableBytes(of: &inet.sin6_addr) { bytes in
                unsafe bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
                unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            return unsafe Self.lend(&inet, body)
        }
    }

    private static func lend<Address, Result>(
        _ address: inout Address,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        unsafe withUnsafePointer(to: &address) { pointer in
            // SAFETY: every sockaddr_* begins with the family that a sockaddr begins with.
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }
}
