internal import Authentication
internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import LinuxSystem

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
        if let directory = base.login.userConfigurationDirectory {
            try options.apply(try UserFile.read(in: directory, user: account.name))
        }
        try options.apply(account.options, from: "user \(account.name)")
        let configuration = options.configuration
        let place = try LoginPlace.of(
            account,
            configuration,
            hasOwnRoot: options.accepted.contains { $0.hasPrefix("local_root=") }
        )
        var profile = LoginProfile(
            root: place.root,
            rules: rules(for: account, configuration)
        )
        profile.workingDirectory = place.start
        profile.namesAccounts = configuration.files.namesOwners
        profile.isAnonymous = account.kind == .anonymous
        profile.maximumSessions = UInt32(
            clamping: configuration.listening.maximumSessionsPerUser
        )
        profile.userRate = configuration.rates.user
        if account.kind == .anonymous, configuration.anonymous.givesUploadsAway {
            let name = configuration.anonymous.uploadOwner
            guard let owner = SystemAccount(named: name) else {
                throw .unavailable(reason: "chown_username: there is no account `\(name)`")
            }
            profile.uploadOwner = UploadOwner(
                user: owner.credentials.user,
                mode: configuration.anonymous.uploadMode
            )
        }
        // The last word on each is what counts, here as well as where it is applied once more.
        profile.sessionOptions = options.lastOfEach
        guard LoginTerms.fit(profile.sessionOptions) else {
            throw .unavailable(reason: "the options of user \(account.name) are too long")
        }
        profile.remarks = options.remarks
        return profile
    }

    private static func rules(
        for account: Account,
        _ configuration: Configuration
    ) -> FileRules {
        let files = configuration.files
        let anonymous = configuration.anonymous
        // The switches hold everywhere; a directory's letters take the place of the account's.
        var possible = files.permissions
        if account.kind.isRestricted(configuration) {
            possible.formIntersection(anonymous.permissions)
        }
        var rules = FileRules(permissions: account.permissions.intersection(possible))
        rules.places = files.places
        if files.showsMessages { rules.messageFile = Array(files.messageFile.utf8) }
        for index in rules.places.overrides.indices {
            rules.places.overrides[index].permissions.formIntersection(possible)
        }
        rules.allowsListing = files.allowsListing
        rules.allowsOverwriting = files.allowsOverwriting
        rules.umask = files.umask
        rules.openMode = files.openMode
        rules.uploads = configuration.uploadRules
        if account.kind.isRestricted(configuration) {
            rules.umask = anonymous.umask
            rules.worldReadableOnly = anonymous.worldReadableOnly
            if !anonymous.allowsOtherWriting { rules.allowsOverwriting = false }
        }
        return rules
    }
}

extension AccountKind {
    /// Whether the rules for anonymous users hold.
    fileprivate func isRestricted(_ configuration: Configuration) -> Bool {
        switch self {
        case .anonymous: true
        case .guest: !configuration.login.guestsAreLocal
        case .local, .virtual, .builtIn: false
        }
    }
}

extension Configuration.Anonymous {
    /// What `anon_upload_enable` and its kin leave of the letters.
    fileprivate var permissions: Permissions {
        var permissions = Permissions.readOnly
        if allowsUpload { permissions.insert(.store) }
        if allowsMakeDirectory { permissions.insert(.makeDirectory) }
        if allowsOtherWriting {
            permissions.formUnion([.append, .delete, .rename, .changeTime])
        }
        return permissions
    }
}

extension Configuration {
    /// How uploads are written, kept and locked.
    fileprivate var uploadRules: UploadRules {
        var rules = UploadRules()
        rules.isAtomic = uploads.isAtomic
        rules.synchronizes = uploads.synchronizes
        rules.deletesFailed = files.deletesFailedUploads
        rules.locksOutReaders = uploads.locksOutReaders
        rules.limits.fileSize = Int64(uploads.maximumFileSize)
        rules.limits.freeSpace = Int64(uploads.minimumFreeSpace)
        rules.limits.bytes = Int64(uploads.quotaBytes)
        rules.limits.files = Int64(uploads.quotaFiles)
        return rules
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
