extension Configuration {
    /// How uploads are written.
    package struct Uploads: Sendable {
        /// Whether an upload appears under its name only once it is whole (`atomic_uploads`).
        package var isAtomic = false
        /// Whether an upload is on the disk before it is acknowledged (`fsync_uploads`).
        package var synchronizes = false
        /// Whether a file is not read while it is written, and the reverse (`lock_upload_files`).
        package var locksOutReaders = true
    }
}
