internal import Glibc

extension ConfigurationDraft {
    /// Checks everything that a login needs on this machine.
    mutating func checkLogin() {
        checkUserList()
        if configuration.asks(.pam) { checkService() }
        checkUserDirectory()
        checkUnprivilegedUser()
        guard let root = configuration.login.localRoot else {
            ignore("user_sub_token", why: "there is no local_root to put the name into")
            return
        }
        if !root.utf8.starts(with: "/".utf8) {
            refuse(
                "local_root",
                why: "the path does not begin with /",
                mend: "write the whole path of the directory"
            )
        }
    }

    /// Where a list is that no option names: in the directory itself, or in Red Hat's and its kin's.
    static func standingList(_ name: String) -> String {
        let usual = "/etc/vsftpd.\(name)"
        let other = "/etc/vsftpd/\(name)"
        return !HostFile.exists(usual) && HostFile.exists(other) ? other : usual
    }

    private mutating func checkUserDirectory() {
        guard let directory = configuration.login.userConfigurationDirectory else { return }
        guard HostFile.isDirectory(directory) else {
            refuse(
                "user_config_dir",
                why: "the value is not a directory",
                mend: "name a directory with one file for each user"
            )
            return
        }
    }

    private mutating func checkUserList() {
        guard usesUserList else {
            ignore("userlist_file", why: "it needs userlist_enable=YES")
            ignore("userlist_deny", why: "it needs userlist_enable=YES")
            return
        }
        let list = userListFile ?? Self.standingList("user_list")
        if userListFile == nil, configuration.login.userListDenies, !HostFile.exists(list) {
            // Whoever never made the list keeps nobody out with it.
            remark(
                on: "userlist_enable",
                "there is no \(list), so it keeps nobody out; create it, and restart the server"
            )
            return
        }
        configuration.login.userListFile = list
        do {
            _ = try HostFile.read(list, limit: 0)
        } catch {
            refuse(
                userListFile == nil ? "userlist_enable" : "userlist_file",
                why: "the list of users \(list) cannot be read (\(error.reason))",
                mend: "create the list, or write userlist_enable=NO"
            )
        }
    }

    /// Looks for the service file where PAM will: without one, PAM falls back to `other`.
    private mutating func checkService() {
        let service = configuration.login.pamServiceName
        guard !service.utf8.contains(UInt8(ascii: "/")), service != ".", service != ".." else {
            refuse(
                "pam_service_name",
                why: "the value is not the name of a PAM service",
                mend: "write the name of a file in /etc/pam.d, without the directory"
            )
            return
        }
        if let directory = configuration.login.pamConfigurationDirectory {
            guard HostFile.isDirectory(directory) else {
                refuse(
                    "pam_conf_dir",
                    why: "the value is not a directory",
                    mend: "name the directory that holds the PAM service file"
                )
                return
            }
            guard HostFile.isRegularFile("\(directory)/\(service)") else {
                refuse(
                    "pam_conf_dir",
                    why: "no PAM service file \(directory)/\(service)",
                    mend: "put the file there, or correct pam_service_name"
                )
                return
            }
            return
        }
        guard
            ["/etc/pam.d", "/usr/lib/pam.d"].contains(where: {
                HostFile.isRegularFile("\($0)/\(service)")
            })
        else {
            refuse(
                "pam_service_name",
                why: "no PAM service file /etc/pam.d/\(service)",
                mend: "install pam.d/portcullis there, or set pam_conf_dir"
            )
            return
        }
    }

    /// Looks up the account that reads the network; without root nobody switches to it.
    private mutating func checkUnprivilegedUser() {
        guard geteuid() == 0 else { return }
        let user = configuration.login.unprivilegedUser
        // SAFETY: the record is read before any other call could replace it.
        guard let record = unsafe getpwnam(user) else {
            refuse(
                "nopriv_user",
                why: "there is no account \(user)",
                mend: "name an account that owns nothing"
            )
            return
        }
        if unsafe record.pointee.pw_uid == 0 {
            refuse(
                "nopriv_user",
                why: "the account \(user) has every privilege",
                mend: "name an account that owns nothing"
            )
        }
    }
}
