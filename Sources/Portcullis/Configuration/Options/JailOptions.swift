extension ConfigurationOption {
    /// The jail: who is kept inside a directory.
    static let jail: [ConfigurationOption] = [
        .toggle("chroot_local_user", standing: true) { $0.jailsLocalUsers = $1 },
        .toggle("chroot_list_enable") { $0.usesJailList = $1 },
        .text("chroot_list_file") { (draft, value) in
            draft.jailListFile = value
            return .honoured
        },
        .toggle("passwd_chroot_enable", sets: \.login.dividesHome),
        .ignoredToggle(
            "allow_writeable_chroot",
            why: "nothing is loaded from the root of a session, so a writable one is safe"
        ),
        .ignoredText(
            "secure_chroot_dir",
            why: "processes without a user have no files at all"
        ),
    ]
}
