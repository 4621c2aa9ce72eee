extension ConfigurationOption {
    /// How uploads are written.
    static let uploads: [ConfigurationOption] = [
        .toggle("atomic_uploads", sets: \.uploads.isAtomic),
        .toggle("fsync_uploads", sets: \.uploads.synchronizes),
        .toggle("lock_upload_files", sets: \.uploads.locksOutReaders),
        .number("max_file_size", 0...Int.max, sets: \.uploads.maximumFileSize),
        .number("min_free_space", 0...Int.max, sets: \.uploads.minimumFreeSpace),
        .number("quota_bytes", 0...Int.max, sets: \.uploads.quotaBytes),
        .number("quota_files", 0...Int.max, sets: \.uploads.quotaFiles),
    ]
}
