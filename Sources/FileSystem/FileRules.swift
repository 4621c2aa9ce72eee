package import FTPProtocol

/// What a login may do to files, beyond what the kernel lets its user do.
///
/// Worked out once per login, and kept by the process that opens files: a Session that somebody
/// else controls cannot get past it.
package struct FileRules: Hashable, Sendable {
    /// What the letters allow wherever nothing else is said.
    package var permissions: Permissions

    /// Whether directories may be listed (`dirlist_enable`); SIZE and the like need the letter `l`
    /// alone.
    package var allowsListing = true

    /// Whether a file that exists may be replaced or added to (`overwrite_enable`).
    package var allowsOverwriting = true

    /// Whether only files that everybody on the host may read are sent
    /// (`anon_world_readable_only`).
    package var worldReadableOnly = false

    /// What holds in some places only.
    package var places = PlaceRules()

    /// The file that is shown to whoever enters its directory; `nil` for none (`message_file`).
    package var messageFile: [UInt8]?

    /// Permission bits taken from new files and directories (`local_umask`, `anon_umask`).
    package var umask: UInt16 = 0o077

    /// Permission bits of new files before the umask (`file_open_mode`).
    package var openMode: UInt16 = 0o666

    /// How uploads are written, kept and locked.
    package var uploads = UploadRules()

    /// Creates rules that allow what `permissions` says, everywhere.
    package init(permissions: Permissions) {
        self.permissions = permissions
    }
}
