/// Whom uploads are given to once they are whole (`chown_uploads`).
package struct UploadOwner: Hashable, Sendable {
    /// The user (`chown_username`); the group stays.
    package let user: UInt32

    /// The permission bits (`chown_upload_mode`).
    package let mode: UInt16

    /// Names an owner.
    package init(user: UInt32, mode: UInt16) {
        self.user = user
        self.mode = mode & 0o777
    }
}
