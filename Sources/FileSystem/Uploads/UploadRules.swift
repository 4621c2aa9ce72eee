/// How uploads of a login are written, kept and locked.
package struct UploadRules: Hashable, Sendable {
    /// Whether a whole upload appears under its name at once (`atomic_uploads`).
    package var isAtomic = false

    /// Whether an upload is on the disk before it is acknowledged (`fsync_uploads`).
    package var synchronizes = false

    /// Whether what a failed upload has left is removed (`delete_failed_uploads`); the part of an
    /// atomic one always is.
    package var deletesFailed = false

    /// Whether a file that is being uploaded cannot be read, and one that is being read cannot be
    /// written (`lock_upload_files`).
    ///
    /// Two uploads never write to one file, whatever stands here.
    package var locksOutReaders = true

    /// How much may be stored.
    package var limits = StorageLimits()

    /// Creates the defaults.
    package init() {}
}
