package import LinuxSystem
internal import SystemPackage

/// A control port could not be opened.
package struct ListenerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address, or `nil` when it failed before the first one.
    package let address: SocketAddress?

    /// What the kernel said.
    package let cause: SystemError

    /// What failed, where, and the mend.
    package var description: String {
        guard let address else { return "\(cause)" }
        let mend =
            switch cause.errno {
            case .addressInUse:
                "another program listens there; stop it or choose another port (listen_port)"
            case .permissionDenied: "ports below 1024 need root; set listen_port"
            case .addressNotAvailable:
                "the address is not this machine's; set listen_address or listen_address6"
            default: "see \(cause)"
            }
        return "cannot listen on \(address): \(mend)"
    }
}
