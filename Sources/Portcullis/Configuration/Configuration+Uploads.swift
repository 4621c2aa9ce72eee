extension Configuration {
    /// How uploads are written.
    package struct Uploads: Sendable {
        /// Whether an upload appears under its name only once it is whole (`atomic_uploads`).
        package var isAtomic = false
        /// Whether an upload is on the disk before it is acknowledged (`fsync_uploads`).
        package var synchronizes = false
        /// Whether a file is not read while it is written, and the reverse (`lock_upload_files`).
        package var locksOutReaders = true
        /// How large one file may become, in bytes; 0 for any size (`max_file_size`).
        package var maximumFileSize = 0
        /// How many bytes stay free on the file system (`min_free_space`).
        package var minimumFreeSpace = 0
        /// How many bytes a user may store; 0 for any number (`quota_bytes`).
        package var quotaBytes = 0
        /// How many files a user may store; 0 for any number (`quota_files`).
        package var quotaFiles = 0
    }
}
