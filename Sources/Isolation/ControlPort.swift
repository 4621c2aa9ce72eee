package import LinuxSystem

/// Where clients connect, and how they have to begin.
package struct ControlPort: Hashable, Sendable {
    /// The address and port.
    package var address: SocketAddress

    /// Clients speak TLS from the first byte on, so no reply may be sent in clear.
    package var isImplicitTLS: Bool

    /// Describes a port.
    package init(_ address: SocketAddress, isImplicitTLS: Bool = false) {
        self.address = address
        self.isImplicitTLS = isImplicitTLS
    }
}
