extension ConfigurationDraft {
    /// Works out who is jailed, and looks for the list.
    mutating func checkJail() {
        let list = jailListFile ?? Self.standingList("chroot_list")
        guard usesJailList else {
            ignore("chroot_list_file", why: "it needs chroot_list_enable=YES")
            if jailsLocalUsers == false { configuration.login.jail = .nobody }
            return
        }
        switch jailsLocalUsers {
        case true: configuration.login.jail = .allBut(listed: list)
        case false: configuration.login.jail = .only(listed: list)
        case nil:
            // Without the line vsftpd jails those on the list, and here everybody is jailed; read
            // the other way round, the list would let out whom it was meant to keep in.
            ignore(
                "chroot_list_enable",
                why: "everybody is jailed unless chroot_local_user=NO is written"
            )
            return
        }
        do {
            _ = try HostFile.read(list, limit: 0)
        } catch {
            refuse(
                "chroot_list_enable",
                why: "the list \(list) cannot be read (\(error.reason))",
                mend: "create the list, or write chroot_list_enable=NO"
            )
        }
    }
}
