internal import LinuxSystem

extension ConfigurationDraft {
    /// Checks what anonymous logins need on this machine.
    mutating func checkAnonymous() {
        checkEmailFile(
            isUsed: deniesEmails,
            file: bannedEmailFile ?? Self.standingList("banned_emails"),
            switched: "deny_email_enable",
            named: "banned_email_file",
            sets: \.anonymous.bannedEmailFile
        )
        checkEmailFile(
            isUsed: listsEmails,
            file: emailPasswordFile ?? Self.standingList("email_passwords"),
            switched: "secure_email_list_enable",
            named: "email_password_file",
            sets: \.anonymous.emailPasswordFile
        )
        let anonymous = configuration.anonymous
        guard anonymous.isEnabled else { return }
        guard Credentials.isRoot else {
            // Without root there is one account: the one that the daemon runs as.
            if anonymous.root == nil {
                refuse(
                    "anon_root",
                    why: "without root nobody can become \(anonymous.userName)",
                    mend: "name the directory that anonymous users see in anon_root"
                )
            }
            return
        }
        guard let account = SystemAccount(named: anonymous.userName) else {
            refuse(
                "ftp_username",
                why: "there is no account \(anonymous.userName)",
                mend: "name an account that owns nothing, or write anonymous_enable=NO"
            )
            return
        }
        if account.credentials.user == 0 {
            refuse(
                "ftp_username",
                why: "the account \(anonymous.userName) has every privilege",
                mend: "name an account that owns nothing"
            )
        }
        let root = anonymous.root ?? account.home
        if !HostFile.isDirectory(root) {
            refuse(
                "anon_root",
                why: "\(root) is not a directory",
                mend: "name the directory that anonymous users see"
            )
        }
    }

    private mutating func checkEmailFile(
        isUsed: Bool,
        file: String,
        switched: String,
        named: String,
        sets path: WritableKeyPath<Configuration, String?>
    ) {
        guard isUsed else {
            ignore(named, why: "it needs \(switched)=YES")
            return
        }
        configuration[keyPath: path] = file
        do {
            _ = try HostFile.read(file, limit: 0)
        } catch {
            refuse(
                switched,
                why: "the list \(file) cannot be read (\(error.reason))",
                mend: "create the list, or write \(switched)=NO"
            )
        }
    }
}
