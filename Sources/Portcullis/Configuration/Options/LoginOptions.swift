extension ConfigurationOption {
    /// Who may log in, and how they prove it.
    static let login: [ConfigurationOption] = [
        .toggle("local_enable", sets: \.login.localUsers),
        .name("pam_service_name", sets: \.login.pamServiceName),
        .text("pam_conf_dir", sets: \.login.pamConfigurationDirectory),
        .ignoredToggle(
            "session_support",
            when: false,
            why: "a PAM session is opened for every login"
        ),
        .name("nopriv_user", sets: \.login.unprivilegedUser),
        .number("min_uid", 1...Int(UInt32.max), sets: \.login.minimumUser),
        .number("max_login_fails", 1...100, sets: \.login.maximumFailures),
        .seconds("delay_failed_login", 0...3600, sets: \.login.failureDelay),
        .seconds("delay_failed_login_max", 0...3600, sets: \.login.maximumFailureDelay),
        .seconds("delay_successful_login", 0...3600, sets: \.login.successDelay),
        .toggle("userlist_enable") { $0.usesUserList = $1 },
        .toggle("userlist_deny", sets: \.login.userListDenies),
        .text("userlist_file") { (draft, value) in
            draft.userListFile = value
            return .honoured
        },
        .text("user_config_dir", sets: \.login.userConfigurationDirectory),
        .text("local_root", sets: \.login.localRoot),
        .text("user_sub_token", sets: \.login.userSubToken),
    ]
}
