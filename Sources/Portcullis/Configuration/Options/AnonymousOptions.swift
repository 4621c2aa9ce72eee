extension ConfigurationOption {
    private static let noAnonymousLogins = "anonymous logins are not served by this version"

    /// Anonymous logins, none of which are served.
    static let anonymous: [ConfigurationOption] = [
        .ignoredToggle("anonymous_enable", when: true, why: noAnonymousLogins),
        .ignoredToggle("no_anon_password", when: true, why: noAnonymousLogins),
        .ignoredToggle("deny_email_enable", when: true, why: noAnonymousLogins),
        .ignoredToggle("secure_email_list_enable", when: true, why: noAnonymousLogins),
        .ignoredText("banned_email_file", why: noAnonymousLogins),
        .ignoredText("email_password_file", why: noAnonymousLogins),
        .ignoredText("ftp_username", why: noAnonymousLogins),
        .ignoredText("anon_root", why: noAnonymousLogins),
        .ignoredToggle("anon_upload_enable", when: true, why: noAnonymousLogins),
        .ignoredToggle("anon_mkdir_write_enable", when: true, why: noAnonymousLogins),
        .ignoredToggle("anon_other_write_enable", when: true, why: noAnonymousLogins),
        .ignoredToggle("anon_world_readable_only", why: noAnonymousLogins),
        .ignoredNumber("anon_umask", why: noAnonymousLogins),
        .ignoredNumber("anon_max_rate", unlessZero: true, why: noAnonymousLogins),
        .ignoredToggle("chown_uploads", when: true, why: noAnonymousLogins),
        .ignoredText("chown_username", why: noAnonymousLogins),
        .ignoredNumber("chown_upload_mode", why: noAnonymousLogins),
        .ignoredToggle("allow_anon_ssl", why: noAnonymousLogins),
        .ignoredToggle("force_anon_logins_ssl", why: noAnonymousLogins),
        .ignoredToggle("force_anon_data_ssl", why: noAnonymousLogins),
    ]
}
