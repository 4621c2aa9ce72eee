/// Whose lines in the logs of transfers they are.
package struct LoggedClient: Hashable, Sendable {
    /// How a user came in.
    package enum Access: UInt8, Hashable, Sendable {
        /// As a user of the system.
        case real = 0x72
        /// As one that the system does not know.
        case guest = 0x67
        /// As nobody in particular.
        case anonymous = 0x61
    }

    /// Where the client is.
    package var address: IPAddress
    /// Who has logged in, or tried to.
    package var user: String?
    /// How.
    package var access: Access

    /// Describes a client.
    package init(_ address: IPAddress, user: String? = nil, access: Access = .real) {
        self.address = address
        self.user = user
        self.access = access
    }
}
