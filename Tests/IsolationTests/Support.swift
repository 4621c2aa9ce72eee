import FTPProtocol
import LinuxSystem

@testable import Isolation

/// 127.0.0.1, or another address of 127.0.0.0/24.
func loopback(_ last: UInt32 = 1) -> IPAddress {
    .v4(0x7F00_0000 + last)
}

/// What a Session is told of a login.
func terms(
    _ permissions: Permissions,
    options: [String] = [],
    root: String? = nil
) -> LoginTerms {
    LoginTerms(permissions: permissions, workingDirectory: .root, options: options, root: root)
}
