internal import CLinux

/// TLS records that the kernel makes of what a connection sends.
package enum KernelTLS {
    /// Whether this kernel can do it (`TCP_ULP` of `tcp(7)`, with the module `tls`).
    ///
    /// Asking loads the module where this process may do that.
    package static var isAvailable: Bool { CLinux_has_kernel_tls() != 0 }
}

extension OwnedDescriptor {
    /// Has the kernel take the keys of TLS for this TCP connection, once there are any.
    ///
    /// - Returns: Whether it will; the connection is as it was where it will not.
    package borrowing func awaitTLSKeys() -> Bool { CLinux_await_tls_keys(number) == 0 }
}
