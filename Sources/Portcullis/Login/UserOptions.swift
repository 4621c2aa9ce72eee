internal import Authentication

/// Options of one user, applied over the configuration that everybody has.
///
/// Made twice with the same result: in the Warden, which enforces them, and in the Session, which
/// gets the accepted ones as text.
struct UserOptions {
    /// The configuration of this user.
    private(set) var configuration: Configuration

    /// The options that hold, each `name=value`.
    private(set) var accepted: [String] = []

    /// What was written and has no effect for a single user, each with the reason.
    private(set) var remarks: [String] = []

    /// Begins with what everybody has.
    init(over base: Configuration) {
        configuration = base
    }

    /// Applies assignments in order; the last of each option holds.
    ///
    /// - Throws: ``LoginRefusal/unavailable(reason:)`` for a line that cannot be honoured: what it
    ///   was meant to forbid would be allowed.
    mutating func apply(_ assignments: [ConfigurationAssignment]) throws(LoginRefusal) {
        var draft = ConfigurationDraft(configuration: configuration)
        for assignment in assignments {
            let place = "\(assignment.origin): \(assignment.name.shownInOneLine)"
            if let problem = assignment.problem { throw Self.refusal(place, problem) }
            guard let option = ConfigurationOption.named(assignment.name) else {
                throw .unavailable(reason: "\(place): there is no such option")
            }
            guard ConfigurationOption.perUser.contains(option.name) else {
                remarks.append("\(place): ignored: it holds for the whole server")
                continue
            }
            let disposition = option.accept(&draft, assignment.value)
            if disposition.isRefusal { throw Self.refusal(place, disposition) }
            accepted.append("\(option.name)=\(assignment.value)")
        }
        if let isJailed = draft.jailsLocalUsers {
            draft.configuration.login.jail = isJailed ? .everybody : .nobody
        }
        if let requiresReuse = draft.requiresReuse, draft.configuration.tls.isEnabled {
            draft.configuration.tls.requiresReuseOfUser = requiresReuse
        }
        configuration = draft.configuration
    }

    /// Applies options that are written `name=value`, and that `origin` is answerable for.
    mutating func apply(_ options: [String], from origin: String) throws(LoginRefusal) {
        try apply(
            options.map { ConfigurationAssignment(origin: origin, line: Array($0.utf8)) }
        )
    }

    /// The last assignment of every option that was accepted, in the order of these.
    var lastOfEach: [String] {
        var last: [Substring: Int] = [:]
        for (index, option) in accepted.enumerated() {
            last[option.prefix { $0 != "=" }] = index
        }
        return last.values.sorted().map { accepted[$0] }
    }

    private static func refusal(_ place: String, _ problem: Disposition) -> LoginRefusal {
        guard case .refused(let why, _) = problem else { return .unavailable(reason: place) }
        return .unavailable(reason: "\(place): \(why)")
    }
}

extension ConfigurationOption {
    /// Options that may differ from user to user: those that nothing has acted on before the login.
    static let perUser: Set<String> = [
        "write_enable", "download_enable", "dirlist_enable", "chmod_enable", "mdtm_write",
        "local_umask", "file_open_mode", "force_dot_files", "ls_recurse_enable", "hide_ids",
        "text_userdb_names",
        "use_localtime",
        "deny_file", "hide_file", "upload_file", "download_file", "override_perm",
        "dirmessage_enable", "message_file", "tilde_user_enable",
        "ascii_upload_enable", "ascii_download_enable", "delete_failed_uploads",
        "max_file_size", "min_free_space", "quota_bytes", "quota_files", "local_max_rate",
        "anon_max_rate", "upload_max_rate", "download_max_rate",
        "user_max_rate", "dir_aliases", "trans_chunk_size", "min_rate", "min_rate_period",
        "atomic_uploads", "fsync_uploads", "lock_upload_files",
        "anon_umask", "anon_upload_enable", "anon_mkdir_write_enable", "anon_other_write_enable",
        "anon_world_readable_only", "anon_root", "local_root", "user_sub_token",
        "chroot_local_user", "passwd_chroot_enable", "login_message", "quit_message",
        "overwrite_enable", "cmds_allowed", "cmds_denied",
        "idle_session_timeout", "data_connection_timeout", "accept_timeout", "connect_timeout",
        "require_ssl_reuse", "max_per_user", "hash_enable", "hash_max_size", "copy_enable",
        "mode_z_enable",
    ]
}

extension UserOptions {
    /// Says what keeps the options of a user from being honoured.
    ///
    /// - Returns: A sentence without its end, or `nil` when every option is fine.
    static func problem(in options: [String], over base: Configuration) -> String? {
        var checked = UserOptions(over: base)
        do throws(LoginRefusal) {
            try checked.apply(options, from: "option")
        } catch {
            guard case .unavailable(let reason) = error else { return error.logText }
            return reason
        }
        return checked.remarks.first
    }
}

/// The options of a single user, for programs that write them.
package enum UserOptionCheck {
    /// Says what keeps options from being honoured, each `name=value`.
    ///
    /// - Returns: A sentence without its end, or `nil` when every option is fine.
    package static func problem(in options: [String]) -> String? {
        UserOptions.problem(in: options, over: Configuration())
    }
}
