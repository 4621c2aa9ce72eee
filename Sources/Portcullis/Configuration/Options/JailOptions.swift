extension ConfigurationOption {
    private static let noChroot = "no chroot(2) is used"

    /// The jail: who is kept inside a directory.
    static let jail: [ConfigurationOption] = [
        .toggle("chroot_local_user") { $0.jailsLocalUsers = $1 },
        .toggle("chroot_list_enable") { $0.usesJailList = $1 },
        .text("chroot_list_file") { (draft, value) in
            draft.jailListFile = value
            return .honoured
        },
        .toggle("passwd_chroot_enable", sets: \.login.dividesHome),
        .ignoredToggle(
            "allow_writeable_chroot",
            why: "\(noChroot), so a writable root is safe"
        ),
        .ignoredText(
            "secure_chroot_dir",
            why: "\(noChroot), and processes without a user have no files at all"
        ),
    ]
}
