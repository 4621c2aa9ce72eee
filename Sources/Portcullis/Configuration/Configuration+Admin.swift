package import LinuxSystem

extension Configuration {
    /// How administrators look at a server that runs.
    package struct Admin: Sendable {
        /// The socket on which `portcullis who` and its kin ask; nil is none (`admin_socket`).
        package var socket: String?
        /// The group whose members may ask, besides root; nil is nobody (`admin_group`).
        package var group: String?
        /// Where Prometheus asks; nil is nowhere (`metrics_address`).
        package var metrics: SocketAddress?
    }
}
