extension ConfigurationOption {
    /// What a user may do to files, and how they are shown.
    static let files: [ConfigurationOption] = [
        .toggle("write_enable", sets: \.files.allowsWriting),
        .toggle("download_enable", sets: \.files.allowsDownload),
        .toggle("dirlist_enable", sets: \.files.allowsListing),
        .toggle("overwrite_enable", sets: \.files.allowsOverwriting),
        .toggle("chmod_enable", sets: \.files.allowsChangeMode),
        .toggle("mdtm_write", sets: \.files.allowsTimeChange),
        .permissions("local_umask", sets: \.files.umask),
        .permissions("file_open_mode", sets: \.files.openMode),
        .toggle("force_dot_files", sets: \.files.showsDotFiles),
        .toggle("ls_recurse_enable", sets: \.files.listsRecursively),
        .toggle("tilde_user_enable", sets: \.files.expandsTilde),
        .toggle("text_userdb_names", sets: \.files.namesOwners),
        .toggle("hide_ids", sets: \.files.hidesOwners),
        .toggle("use_localtime", sets: \.files.usesLocalTime),
        .toggle("ascii_upload_enable", sets: \.files.convertsUploads),
        .toggle("ascii_download_enable", sets: \.files.convertsDownloads),
        .toggle("hash_enable", sets: \.files.allowsHashing),
        .number("hash_max_size", 0...Int.max, sets: \.files.maximumHashByteCount),
        .toggle("mode_z_enable", sets: \.files.allowsCompression),
        .toggle("copy_enable", sets: \.files.allowsCopying),
        .toggle("delete_failed_uploads", sets: \.files.deletesFailedUploads),
        .ignoredToggle(
            "better_stou",
            when: false,
            why: "STOU always finds a name that nobody else has"
        ),
        .ignoredToggle(
            "utf8_filesystem",
            when: false,
            why: "names are always shown as UTF-8"
        ),
        .toggle("use_sendfile", sets: \.files.usesSendfile),
    ]
}
