/// A configuration while its options are being applied and checked.
struct ConfigurationDraft {
    /// The configuration so far.
    var configuration = Configuration()

    /// Whether the list of users is consulted (`userlist_enable`).
    var usesUserList = false

    /// The list of users as written, should it be consulted (`userlist_file`).
    var userListFile: String?

    /// The file that replaces the greeting (`banner_file`).
    var bannerFile: String?

    /// Whether, and which, passwords of anonymous users are refused (`deny_email_enable`).
    var deniesEmails = false
    var bannedEmailFile: String?

    /// Whether, and which, passwords alone are taken (`secure_email_list_enable`).
    var listsEmails = false
    var emailPasswordFile: String?

    /// What was written for `chroot_local_user`.
    var jailsLocalUsers: Bool?

    /// Whether the list turns that around (`chroot_list_enable`), and where it is.
    var usesJailList = false
    var jailListFile: String?

    /// What was written for `ssl_request_cert`.
    var requestsCertificate: Bool?

    /// Whether any address may open data connections, or be connected to (`pasv_promiscuous`,
    /// `port_promiscuous`), and pyftpdlib's word for both (`permit_foreign_addresses`).
    var allowsAnyPassive = false
    var allowsAnyActive = false
    var permitsForeignAddresses = false

    /// What was written for `require_ssl_reuse`.
    var requiresReuse: Bool?

    /// The list of suites as written (`ssl_ciphers`).
    var suiteList: String?

    /// Whether transfers are logged (`xferlog_enable`), in whose format (`xferlog_std_format`), or
    /// in both (`dual_log_enable`), and what was written for the files.
    var logsTransfers = false
    var usesStandardLog = false
    var writesBothLogs = false
    var standardLogFile: String?
    var ownLogFile: String?

    /// What the options being applied want to say though they are honoured.
    var remark: String?

    /// What the checks found out, in order.
    private(set) var findings: [Finding] = []

    /// A statement of a check about one option.
    struct Finding {
        /// The option's first spelling.
        let name: String
        /// What becomes of the option; nil when there is only something to say.
        let disposition: Disposition?
        /// What the writer should know.
        let remark: String?
    }

    /// Refuses to start because of `name`, written or not.
    mutating func refuse(_ name: String, why: String, mend: String) {
        findings.append(
            Finding(name: name, disposition: .refused(why: why, mend: mend), remark: nil)
        )
    }

    /// Explains that `name` has no effect, if somebody wrote it.
    mutating func ignore(_ name: String, why: String) {
        findings.append(Finding(name: name, disposition: .ignored(why: why), remark: nil))
    }

    /// Says something about `name`, if somebody wrote it.
    mutating func remark(on name: String, _ remark: String) {
        findings.append(Finding(name: name, disposition: nil, remark: remark))
    }
}
