package import LinuxSystem

/// Where clients connect, and how they have to begin.
package struct ControlPort: Hashable, Sendable {
    /// How clients of a port have to begin; the numbers stand in messages.
    package enum Kind: UInt8, Hashable, Sendable {
        /// Clients ask for TLS with AUTH, and have to as far as the configuration says so.
        case explicitTLS = 0
        /// Clients speak TLS from the first byte on, so no reply may be sent in clear.
        case implicitTLS
        /// Clients may do without TLS, though those of other ports may not (`plain_listen_port`).
        case plain
    }

    /// The address and port.
    package var address: SocketAddress

    /// How clients have to begin.
    package var kind: Kind

    /// Describes a port.
    package init(_ address: SocketAddress, _ kind: Kind = .explicitTLS) {
        self.address = address
        self.kind = kind
    }
}
