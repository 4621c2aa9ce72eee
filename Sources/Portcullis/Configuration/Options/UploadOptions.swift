extension ConfigurationOption {
    /// How uploads are written.
    static let uploads: [ConfigurationOption] = [
        .toggle("atomic_uploads", sets: \.uploads.isAtomic),
        .toggle("fsync_uploads", sets: \.uploads.synchronizes),
        .toggle("lock_upload_files", sets: \.uploads.locksOutReaders),
    ]
}
