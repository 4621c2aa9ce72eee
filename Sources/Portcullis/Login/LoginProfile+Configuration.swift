internal import Authentication
internal import FTPProtocol
internal import FileSystem
internal import Isolation

// From an account and the configuration to what the login gets.

extension LoginProfile {
    /// Works out what `account` gets; runs in the Warden.
    ///
    /// - Throws: ``LoginRefusal`` when an option of this user cannot be honoured.
    static func make(
        for account: Account,
        _ base: Configuration
    ) throws(LoginRefusal) -> LoginProfile {
        var options = UserOptions(over: base)
        try options.apply(
            account.options.map {
                ConfigurationAssignment(origin: "user \(account.name)", line: Array($0.utf8))
            }
        )
        let configuration = options.configuration
        var profile = LoginProfile(
            root: root(for: account, configuration),
            rules: rules(for: account, configuration)
        )
        profile.maximumSessions = UInt32(
            clamping: configuration.listening.maximumSessionsPerUser
        )
        profile.sessionOptions = options.accepted
        profile.remarks = options.remarks
        return profile
    }

    private static func root(for account: Account, _ configuration: Configuration) -> String {
        guard account.kind == .local, let localRoot = configuration.login.localRoot else {
            return account.home
        }
        return localRoot.replacing(configuration.login.userSubToken, by: account.name)
    }

    private static func rules(
        for account: Account,
        _ configuration: Configuration
    ) -> FileRules {
        let files = configuration.files
        var rules = FileRules(permissions: account.permissions.intersection(files.permissions))
        rules.allowsListing = files.allowsListing
        rules.umask = files.umask
        rules.openMode = files.openMode
        return rules
    }
}

extension String {
    /// The text with every `token` exchanged for `name` (`user_sub_token`).
    fileprivate func replacing(_ token: String?, by name: String) -> String {
        guard let token, !token.isEmpty else { return self }
        return split(separator: token, omittingEmptySubsequences: false).joined(separator: name)
    }
}

extension Configuration.Files {
    /// What users may do under `write_enable`, `download_enable`, `chmod_enable`, `mdtm_write`.
    var permissions: Permissions {
        var permissions: Permissions = [.enterDirectory, .list]
        if allowsDownload { permissions.insert(.retrieve) }
        guard allowsWriting else { return permissions }
        permissions.formUnion([.append, .delete, .rename, .makeDirectory, .store])
        if allowsChangeMode { permissions.insert(.changeMode) }
        if allowsTimeChange { permissions.insert(.changeTime) }
        return permissions
    }
}
