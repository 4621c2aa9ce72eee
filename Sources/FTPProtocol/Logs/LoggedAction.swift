/// What a user who has logged in did to a file or directory, for the logs of transfers.
package struct LoggedAction: Hashable, Sendable {
    /// What was done.
    package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// A file was fetched (RETR).
        case download = 1
        /// A file was sent (STOR, APPE, STOU).
        case upload
        /// A directory was made (MKD).
        case makeDirectory
        /// A directory was removed (RMD).
        case removeDirectory
        /// A file was removed (DELE).
        case delete
        /// A file or directory got another name (RNTO).
        case rename
        /// The permission bits were set (SITE CHMOD).
        case changeMode

        /// Whether bytes were moved.
        package var isTransfer: Bool { self == .download || self == .upload }

        /// What a command does; `nil` for one that these logs leave out.
        package init?(command: String) {
            switch command {
            case "RETR": self = .download
            case "STOR", "APPE", "STOU": self = .upload
            case "MKD", "SITE MKDIR": self = .makeDirectory
            case "RMD", "SITE RMDIR": self = .removeDirectory
            case "DELE": self = .delete
            case "RNFR", "RNTO": self = .rename
            case "SITE CHMOD": self = .changeMode
            default: return nil
            }
        }

        /// vsftpd's word for it.
        var word: String {
            switch self {
            case .download: "DOWNLOAD"
            case .upload: "UPLOAD"
            case .makeDirectory: "MKDIR"
            case .removeDirectory: "RMDIR"
            case .delete: "DELETE"
            case .rename: "RENAME"
            case .changeMode: "CHMOD"
            }
        }
    }

    /// What was done.
    package let kind: Kind
    /// Whether it succeeded.
    package let isDone: Bool
    /// What it was done to.
    package let path: VirtualPath
    /// The new name, of a ``Kind/rename`` that came as far as that.
    package var target: VirtualPath?
    /// The permission bits, of a ``Kind/changeMode``.
    package var mode: UInt16 = 0
    /// The bytes that were moved, of a transfer.
    package var byteCount: UInt64 = 0
    /// How long that took, in nanoseconds.
    package var nanoseconds: UInt64 = 0
    /// Whether the client had chosen TYPE A.
    package var isASCII = false

    /// Describes an action.
    package init(_ kind: Kind, _ path: VirtualPath, isDone: Bool) {
        self.kind = kind
        self.path = path
        self.isDone = isDone
    }
}
