extension ConfigurationOption {
    /// Logins of nobody in particular, and what they and guests may do.
    static let anonymous: [ConfigurationOption] = [
        .toggle("anonymous_enable", sets: \.anonymous.isEnabled),
        .toggle("no_anon_password", sets: \.anonymous.needsNoPassword),
        .toggle("deny_email_enable") { $0.deniesEmails = $1 },
        .text("banned_email_file") { (draft, value) in
            draft.bannedEmailFile = value
            return .honoured
        },
        .toggle("secure_email_list_enable") { $0.listsEmails = $1 },
        .text("email_password_file") { (draft, value) in
            draft.emailPasswordFile = value
            return .honoured
        },
        .name("ftp_username", sets: \.anonymous.userName),
        .text("anon_root", sets: \.anonymous.root),
        .toggle("anon_upload_enable", sets: \.anonymous.allowsUpload),
        .toggle("anon_mkdir_write_enable", sets: \.anonymous.allowsMakeDirectory),
        .toggle("anon_other_write_enable", sets: \.anonymous.allowsOtherWriting),
        .toggle("anon_world_readable_only", sets: \.anonymous.worldReadableOnly),
        .permissions("anon_umask", sets: \.anonymous.umask),
        .toggle("chown_uploads", sets: \.anonymous.givesUploadsAway),
        .name("chown_username", sets: \.anonymous.uploadOwner),
        .permissions("chown_upload_mode", sets: \.anonymous.uploadMode),
        .ignoredToggle(
            "allow_anon_ssl",
            when: false,
            why: "everybody may use TLS"
        ),
        .toggle("force_anon_logins_ssl", sets: \.anonymous.requiresTLSForLogin),
        .toggle("force_anon_data_ssl", sets: \.anonymous.requiresTLSForData),
    ]
}
