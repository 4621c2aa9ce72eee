extension Configuration {
    /// Logins of nobody in particular, and what they and guests may do.
    package struct Anonymous: Sendable {
        /// Whether `anonymous` and `ftp` may log in (`anonymous_enable`).
        package var isEnabled = false
        /// Whether USER alone is enough (`no_anon_password`).
        package var needsNoPassword = false
        /// The account whose rights they get (`ftp_username`).
        package var userName = "ftp"
        /// The directory they see as `/`; nil is that account's home (`anon_root`).
        package var root: String?
        /// A file of passwords that are refused (`deny_email_enable`, `banned_email_file`).
        package var bannedEmailFile: String?
        /// A file of the only passwords (`secure_email_list_enable`, `email_password_file`).
        package var emailPasswordFile: String?
        /// Whether USER is refused in clear (`force_anon_logins_ssl`).
        package var requiresTLSForLogin = true
        /// Whether data connections are refused in clear (`force_anon_data_ssl`).
        package var requiresTLSForData = true
        /// Whether new files may be stored (`anon_upload_enable`).
        package var allowsUpload = false
        /// Whether directories may be made (`anon_mkdir_write_enable`).
        package var allowsMakeDirectory = false
        /// Whether anything else may be changed (`anon_other_write_enable`).
        package var allowsOtherWriting = false
        /// Whether only files that everybody on the host may read are sent
        /// (`anon_world_readable_only`).
        package var worldReadableOnly = true
        /// The permission bits taken from new files and directories (`anon_umask`).
        package var umask: UInt16 = 0o077
        /// Whether new files are given to somebody else once they are whole (`chown_uploads`).
        package var givesUploadsAway = false
        /// The account that they are given to (`chown_username`).
        package var uploadOwner = "root"
        /// The permission bits that they get then (`chown_upload_mode`).
        package var uploadMode: UInt16 = 0o600

        /// Whether there are any, and they may log in without TLS.
        var mayLogInClear: Bool { isEnabled && !requiresTLSForLogin }
        /// Whether there are any, and their files may cross the network without TLS.
        var mayTransferInClear: Bool { isEnabled && !requiresTLSForData }
    }
}
