internal import Authentication
internal import LinuxSystem

extension ConfigurationDraft {
    /// Checks that somebody can log in, and the users who are no accounts of the system.
    mutating func checkAccounts() {
        let login = configuration.login
        checkOrder()
        if configuration.asks(.virtual), let file = login.virtualUsersFile {
            checkVirtualUsers(file)
        }
        let hasGuests = login.makesGuests && configuration.asks(.pam)
        if configuration.asks(.virtual) || hasGuests {
            checkGuest()
        } else {
            ignore("guest_username", why: "it needs guest_enable=YES or virtual_users_file")
        }
        if !hasGuests {
            ignore("virtual_use_local_privs", why: "it needs guest_enable=YES")
        } else if login.checksShell {
            remark(on: "check_shell", "guests have no shell, and are not asked for one")
        }
    }

    private mutating func checkOrder() {
        let login = configuration.login
        if login.virtualUsersFile != nil, !login.order.contains(.virtual) {
            ignore("virtual_users_file", why: "auth_order does not name virtual")
        }
        guard configuration.authorizers.isEmpty else { return }
        if !login.localUsers {
            refuse(
                "local_enable",
                why: "nobody could log in",
                mend: "write local_enable=YES or anonymous_enable=YES, or name a virtual_users_file"
            )
        } else {
            refuse(
                "auth_order",
                why: "nobody could log in",
                mend: "add pam, or name a virtual_users_file and add virtual"
            )
        }
    }

    private mutating func checkVirtualUsers(_ path: String) {
        let configuration = configuration
        let report = VirtualUserReport(of: path) {
            UserOptions.problem(in: $0, over: configuration)
        }
        if let failure = report.failure {
            refuse(
                "virtual_users_file",
                why: failure.reason,
                mend: failure.isUnsafe
                    ? "make it a regular file of root with mode 0600"
                    : "make the file with `portcullis passwd`"
            )
        } else if !report.problems.isEmpty {
            let count = report.problems.count
            let more = count > 5 ? ", and \(count - 5) more" : ""
            refuse(
                "virtual_users_file",
                why: report.problems.prefix(5).joined(separator: ", ") + more,
                mend: "mend these lines, or set the users again with `portcullis passwd`"
            )
        } else if report.isReadableByOthers {
            remark(
                on: "virtual_users_file",
                "everybody on this machine may read the hashes (chmod 0600)"
            )
        } else if report.userCount == 0 {
            remark(on: "virtual_users_file", "there is no user in it yet")
        }
    }

    private mutating func checkGuest() {
        guard Credentials.isRoot else { return }
        let name = configuration.login.guestUser
        guard let account = SystemAccount(named: name) else {
            refuse(
                "guest_username",
                why: "there is no account \(name)",
                mend: "name the account that owns the files of guests and virtual users"
            )
            return
        }
        if account.credentials.user == 0 || account.credentials.group == 0 {
            refuse(
                "guest_username",
                why: "the account \(name) is root, or in root's group",
                mend: "name an account without privilege"
            )
        }
    }
}
