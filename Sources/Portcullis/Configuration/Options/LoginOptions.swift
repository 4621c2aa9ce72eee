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
        .ignoredToggle(
            "check_shell",
            why: "PAM decides, so add pam_shells to the service file"
        ),
        .name("nopriv_user", sets: \.login.unprivilegedUser),
        .number("max_login_fails", 1...100, sets: \.login.maximumFailures),
        .seconds("delay_failed_login", 0...3600, sets: \.login.failureDelay),
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
        .refusedToggle(
            "guest_enable",
            when: true,
            why: "accounts that PAM knows and the system does not are not supported",
            mend: "write guest_enable=NO, and give each user an account of the system"
        ),
        .ignoredText("guest_username", why: "guest accounts are not supported"),
        .ignoredToggle(
            "virtual_use_local_privs",
            when: true,
            why: "guest accounts are not supported"
        ),
    ]
}
