/// How much a login may store; 0 is no limit.
package struct StorageLimits: Hashable, Sendable {
    /// The size of one file, in bytes (`max_file_size`).
    package var fileSize: Int64 = 0

    /// What has to stay free on the file system, in bytes (`min_free_space`).
    package var freeSpace: Int64 = 0

    /// The sizes of all regular files below the root, in bytes (`quota_bytes`).
    package var bytes: Int64 = 0

    /// The number of regular files below the root (`quota_files`).
    package var files: Int64 = 0

    /// Creates the defaults: no limits.
    package init() {}

    /// Whether what is below the root has to be counted.
    package var hasQuota: Bool { bytes > 0 || files > 0 }

    /// Whether the bytes of an upload have to be asked for.
    var areMetered: Bool { fileSize > 0 || freeSpace > 0 || bytes > 0 }
}

/// What a user has stored, and may store (SITE QUOTA).
package struct StorageReport: Hashable, Sendable {
    /// The limits.
    package let limits: StorageLimits

    /// The sizes of all regular files below the root, in bytes; 0 when nothing is counted.
    package let usedBytes: Int64

    /// The number of regular files below the root; 0 when nothing is counted.
    package let usedFiles: Int64

    /// Reports usage under limits.
    package init(limits: StorageLimits, usedBytes: Int64, usedFiles: Int64) {
        self.limits = limits
        self.usedBytes = usedBytes
        self.usedFiles = usedFiles
    }
}
