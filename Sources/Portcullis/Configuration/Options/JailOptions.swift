extension ConfigurationOption {
    private static let always = "every user is jailed in the root directory of the account"
    private static let noChroot = "no chroot(2) is used"

    /// The jail, which every user is in.
    static let jail: [ConfigurationOption] = [
        .ignoredToggle("chroot_local_user", when: false, why: always),
        .ignoredToggle("chroot_list_enable", when: true, why: always),
        .ignoredText("chroot_list_file", why: always),
        .ignoredToggle(
            "allow_writeable_chroot",
            why: "\(noChroot), so a writable root is safe"
        ),
        .ignoredToggle(
            "passwd_chroot_enable",
            when: true,
            why: "\(noChroot), and the root is the whole home directory"
        ),
        .ignoredText(
            "secure_chroot_dir",
            why: "\(noChroot), and processes without a user have no files at all"
        ),
    ]
}
